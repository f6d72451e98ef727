"""Settings: environment over `feedback_lab.toml` in home over defaults. Read at the doors only.

A noun never reads settings by itself; doors pass it the values that it needs.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from feedback_lab.errors import InputError

CONFIG_NAME = "feedback_lab.toml"
HostName = Annotated[
    str, StringConstraints(to_lower=True, max_length=253, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
]


class Settings(BaseSettings):
    """What a team may change, each with its default. Environment names start with `FEEDBACK_LAB_`."""

    model_config = SettingsConfigDict(env_prefix="FEEDBACK_LAB_", extra="ignore")
    toml_path: ClassVar[Path | None] = None

    home: Path
    db: str | None = Field(None, description="database URL; the file feedback.duckdb in home unless set")
    similarity: float = Field(0.5, ge=0, le=1, description="cosine above which two inputs are similar")
    touch_similarity: float = Field(0.7, ge=0, le=1, description="cosine above which an issue touches a question")
    daily_budget: int = Field(40, ge=0, description="new open tasks a UTC day")
    lease_minutes: int = Field(15, ge=1, le=10_080, description="how long a claimed task is held")
    upload_mb: int = Field(2_000, ge=1, le=1_000_000, description="largest file that the Upload page takes, in MB")
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode] = Field(
        (), description="names under which a proxy on this machine may ask"
    )
    embedding_model: str = Field("", description="folder or name of an embedding model, for grouping comments")
    knowledge_file: Path | None = Field(None, description="knowledge.jsonl in home unless set")
    instructions_file: Path | None = Field(None, description="instructions.md in home unless set")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        """The environment holds one text: names with commas between them."""
        return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given

    @property
    def embedding(self) -> str:
        """The embedding model as `vectors.find_model` takes it: an absolute folder, a name, or nothing.

        A folder may be given as from home, or as from where the program was started.
        """
        given = self.embedding_model.strip()
        if not given:
            return ""
        asked = Path(given).expanduser()
        return next((str(path.absolute()) for path in (self.home / asked, asked) if path.is_dir()), str(asked))

    @property
    def knowledge_path(self) -> Path:
        return self.knowledge_file or self.home / "knowledge.jsonl"

    @property
    def instructions_path(self) -> Path:
        return self.instructions_file or self.home / "instructions.md"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=cls.toml_path)


def find_home(given: Path | None = None) -> Path:
    """The folder for everything: given, else FEEDBACK_LAB_HOME, else `data/` of the checkout, else the user's."""
    if given is not None:
        return given.expanduser().absolute()
    if named := os.environ.get("FEEDBACK_LAB_HOME"):
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "pyproject.toml").is_file() and (checkout / "app.py").is_file():
        return checkout / "data"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "feedback-lab"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "feedback-lab"


def load_settings(home: Path | None = None, db: str | None = None) -> Settings:
    """The settings for `home`. Raises InputError with the setting's name where a value cannot be used."""
    folder = find_home(home)
    given: dict[str, Any] = {"home": folder} | ({"db": db} if db else {})

    class AtHome(Settings):
        toml_path: ClassVar[Path | None] = folder / CONFIG_NAME

    try:
        return AtHome(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"The setting {name} cannot be used ({first['msg']}): correct it in {folder / CONFIG_NAME} "
            f"or in the environment (FEEDBACK_LAB_{name.upper()})."
        ) from None
    except ValueError as error:
        raise InputError(f"{folder / CONFIG_NAME} cannot be read: {error}.") from None
