"""Letters by e-mail: written, kept until they are sent, and sent by a job."""
