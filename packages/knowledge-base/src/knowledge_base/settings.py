"""What the environment says about a knowledge base."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge_base.errors import KnowledgeBaseError


class Settings(BaseSettings):
    """Settings of the command ``kb``, from variables such as ``KB_DATABASE``.

    Attributes:
        database: Where everything is kept; of SQLAlchemy.
        token: That callers of the server have to send.
        embedder: ``bundled``, ``none``, ``ollama:MODEL`` or ``openai:URL#MODEL``.
        embedder_key: Sent to a server that makes embeddings.
        embedder_threads: Of the bundled embedder.
        cache: Where the weights of the bundled embedder are kept.
    """

    model_config = SettingsConfigDict(env_prefix="KB_", frozen=True)

    database: str = "sqlite:///knowledge.db"
    token: SecretStr = SecretStr("")
    embedder: str = "bundled"
    embedder_key: SecretStr = SecretStr("")
    embedder_threads: int = Field(default=2, ge=1, le=64)
    cache: Path = Path("~/.cache/knowledge-base")


def read_settings() -> Settings:
    """Return what the environment says.

    Raises:
        KnowledgeBaseError: A variable has a value that cannot be meant.
    """
    try:
        return Settings()
    except ValidationError as error:
        said = "; ".join(
            f"KB_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}"
            for each in error.errors()
        )
        raise KnowledgeBaseError(said) from error
