"""wenhuo 文火: labelled text in, a classifier out that can be rebuilt, explained, promoted and rolled back."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wenhuo.models.classifier import Classifier

__version__ = "0.1.0"
__all__ = ["Classifier", "__version__"]


def __getattr__(name: str) -> Any:
    """Load ``wenhuo.Classifier`` on first use, so that importing the package costs nothing."""
    if name == "Classifier":
        from wenhuo.models.classifier import Classifier

        return Classifier
    raise AttributeError(f"module 'wenhuo' has no attribute {name!r}")
