from tests.wenhuo.explaining.conftest import mini_model, project

__all__ = ["mini_model", "project"]
