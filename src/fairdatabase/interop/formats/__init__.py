"""One pure serializer per format."""
