"""Adapters by peft: weights beside a backbone's, saved apart from it in peft's own layout, or merged into it.

Only what uses adapters imports this: ``import peft`` takes 6 to 8 s.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from peft import AdaLoraConfig, IA3Config, LoraConfig, PeftConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from wenhuo.errors import ModelError, SettingsError
from wenhuo.files import write_json
from wenhuo.models.tuning import AdaLora, AnyAdapter, Ia3, Lora

FOLDER = "adapter"
NAME = "default"
SUFFIX = f".{NAME}"

# Endings of the layers that make keys and values, and of those that read the inner layer, by family.
KEYS_AND_VALUES: tuple[str, ...] = ("key", "value", "k_proj", "v_proj", "key_proj", "value_proj", "attn.Wqkv")
KEYS_AND_VALUES += ("c_attn", "query_key_value", "in_proj", "k_lin", "v_lin")
INNER = ("output.dense", "down_proj", "mlp.c_proj", "mlp.Wo", "ffn_output", "fc2", "ffn.lin2", "dense_4h_to_h")


def adapt(backbone: Any, adapter: AnyAdapter, steps: int) -> Any:
    """The backbone with fresh adapter weights, which alone are trained.

    Args:
        backbone: a model of transformers; its layers are replaced.
        adapter: which kind.
        steps: of the whole training; AdaLoRA's schedule needs them.

    Raises:
        SettingsError: no layer is adapted, or AdaLoRA has too few steps.
    """
    linear = [name for name, module in backbone.named_modules() if isinstance(module, nn.Linear | Conv1D)]
    targets = _matching(linear, adapter.targets) if adapter.targets else _default_targets(linear, adapter)
    if not targets:
        asked = ", ".join(adapter.targets or ())
        raise SettingsError(
            f"tune: no linear layer of this backbone {f'ends in {asked}' if asked else 'is known to ' + adapter.kind}",
            f"give targets, endings of these names: {', '.join(sorted({n.rsplit('.', 1)[-1] for n in linear}))}",
        )
    _check_steps(adapter, steps)
    config = _config(adapter, targets, _matching(targets, _feedforward(adapter)), steps)
    config.fan_in_fan_out = any(isinstance(backbone.get_submodule(name), Conv1D) for name in targets)
    return get_peft_model(backbone, config)


def _check_steps(adapter: AnyAdapter, steps: int) -> None:
    """AdaLoRA needs two steps between its hold and its settling, to see what matters and to decide."""
    if isinstance(adapter, AdaLora) and steps - round(adapter.settle * steps) < round(adapter.hold * steps) + 2:
        raise SettingsError(f"tune: {steps} steps are too few for adalora", "train for more steps, or lower settle")


def _matching(names: list[str], endings: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(f".{name}".endswith(f".{ending}") for ending in endings)]


def _default_targets(linear: list[str], adapter: AnyAdapter) -> list[str]:
    if not isinstance(adapter, Ia3):
        return [name for name in linear if "embed" not in name]
    inner = [name for name in _matching(linear, INNER) if "attention" not in name]  # BERT has two output.dense a layer
    return _matching(linear, KEYS_AND_VALUES) + inner


def _feedforward(adapter: AnyAdapter) -> tuple[str, ...]:
    return (adapter.feedforward or INNER) if isinstance(adapter, Ia3) else ()


def _config(adapter: AnyAdapter, targets: list[str], inner: list[str], steps: int) -> PeftConfig:
    if isinstance(adapter, Ia3):
        return IA3Config(target_modules=targets, feedforward_modules=inner)
    shared: dict[str, Any] = {"target_modules": targets, "lora_alpha": adapter.alpha, "lora_dropout": adapter.dropout}
    if isinstance(adapter, Lora):
        return LoraConfig(r=adapter.rank, **shared)
    return AdaLoraConfig(
        init_r=adapter.start_rank,
        target_r=adapter.rank,
        tinit=round(adapter.hold * steps),
        tfinal=round(adapter.settle * steps),
        deltaT=adapter.every,
        orth_reg_weight=adapter.orthogonality,
        total_step=steps,
        **shared,
    )


def save(model: Any, folder: Path) -> None:
    """Write ``adapter_model.safetensors`` and ``adapter_config.json``, which peft can load as well as we."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name.replace(SUFFIX, ""): value.contiguous() for name, value in _weights(model).items()}
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {name: _plain(value) for name, value in model.peft_config[NAME].to_dict().items()}
    changed = {"base_model_name_or_path": None, "inference_mode": True}
    if isinstance(model.peft_config[NAME], AdaLoraConfig):
        changed["rank_pattern"] = None  # ranks taken away are zeros here; with a pattern peft expects smaller matrices
    write_json(folder / "adapter_config.json", config | changed)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return sorted(value) if isinstance(value, set) else value


def _weights(model: Any) -> dict[str, Tensor]:
    """The adapter's own weights; AdaLoRA's ``ranknum`` is a constant."""
    return {name: value for name, value in model.state_dict().items() if name.endswith(_endings(model))}


def _endings(model: Any) -> tuple[str, ...]:
    letters = ("ia3_l",) if isinstance(model.peft_config[NAME], IA3Config) else ("lora_A", "lora_B", "lora_E")
    return tuple(f"{letter}{SUFFIX}{rest}" for letter in letters for rest in ("", ".weight"))


def load(backbone: Any, adapter: AnyAdapter, folder: Path) -> Any:
    """The backbone with the adapter that :func:`save` wrote.

    Raises:
        ModelError: the file is missing, damaged, or of another shape.
    """
    steps = 1_000_000  # AdaLoRA refuses to be made without; nothing depends on it after training
    model = adapt(backbone, adapter, steps)
    path = folder / "adapter_model.safetensors"
    try:
        stored = load_file(path)
        wanted = {name.replace(SUFFIX, ""): name for name in _weights(model)}
        if stored.keys() != wanted.keys():
            raise ValueError("its weights are those of another adapter")
        model.load_state_dict({wanted[name]: value for name, value in stored.items()}, strict=False)
    except Exception as error:  # safetensors raises its own kinds, RuntimeError is for shapes
        raise ModelError(f"{path} is damaged: {error}", "restore it with `dvc checkout`") from None
    return model


def plain_backbone(model: Any, *, merge: bool) -> Any:
    """The backbone alone, with the adapter's weights added to its own or without them; the adapter is gone."""
    return model.merge_and_unload() if merge else model.unload()


class RankSchedule:
    """AdaLoRA's decisions while it trains, and what they depend on.

    Args:
        model: what :func:`adapt` made.
    """

    def __init__(self, model: Any) -> None:
        self.tuner = model.base_model
        self.config = model.peft_config[NAME]

    def penalty(self) -> Tensor:
        """How far the factors are from orthogonal, weighted (equation 4 of Zhang et al. 2023), mean over factors."""
        import torch

        named = [(n, p) for n, p in self.tuner.named_parameters() if f"lora_A{SUFFIX}" in n or f"lora_B{SUFFIX}" in n]
        squares = [p @ p.T if "lora_A" in n else p.T @ p for n, p in named]
        apart = [torch.linalg.matrix_norm(s - torch.eye(len(s), device=s.device)) for s in squares]
        mean: Tensor = torch.stack(apart).mean() * self.config.orth_reg_weight
        return mean

    def after(self, step: int) -> None:
        """Note how much each weight matters and take ranks away; between the optimizer's step and zeroing gradients.

        Args:
            step: finished steps, this one included.
        """
        self.tuner.update_and_allocate(step)

    def state(self) -> dict[str, Tensor]:
        """All that the next decision depends on beside the weights, for a checkpoint."""
        import torch

        averages = {kind: getattr(self.tuner.rankallocator, kind) for kind in ("ipt", "exp_avg_ipt", "exp_avg_unc")}
        kept = {f"{kind}/{name}": value for kind, values in averages.items() for name, value in values.items()}
        pattern = self.config.rank_pattern or {}
        return kept | {f"rank_pattern/{name}": torch.tensor(stays) for name, stays in pattern.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what :meth:`state` gave."""
        pattern = {}
        for key, value in state.items():
            kind, name = key.split("/", 1)
            if kind == "rank_pattern":
                pattern[name] = value.tolist()
            else:
                getattr(self.tuner.rankallocator, kind)[name] = value
        self.config.rank_pattern = pattern or None


def is_adapted(backbone: Any) -> bool:
    """Whether a backbone carries an adapter."""
    return isinstance(backbone, PeftModel)


def has_ranks(adapter: Any) -> bool:
    """Whether the adapter needs a :class:`RankSchedule`."""
    return isinstance(adapter, AdaLora)
