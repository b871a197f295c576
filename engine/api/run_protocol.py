"""The protocol card of a run: what its numbers mean, from its stored configuration and the data it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import registry
from engine.config import KS, ExperimentConfig, epochs_text, negatives_in_words, negatives_of, own_pretraining, parse
from engine.errors import ConfigurationError, EngineError
from engine.records import LeakFinding, ProtocolFact, RunProtocolRecord, RunRecord

if TYPE_CHECKING:
    from engine.api.runs import Runs
    from engine.data.dataset import Dataset

_SEEN = {
    "exclude": "never ranked: a repeated target is a certain miss",
    "zero": "scored 0, as the published code does: they can still hit",
    "keep": "ranked like all others",
}
_TIES = {
    "optimistic": "the target before its equals",
    "pessimistic": "the target behind its equals",
    "mean": "the target in the middle of its equals",
    "id": "by item id, as a stable sort does",
}


class RunProtocols:
    """Facade over configuration, data and store. Reads the data: call it in the engine process."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def of(self, run_id: str) -> RunProtocolRecord:
        """The card of one run. Raises ``UsageError`` for an unknown one; data that are gone are a finding, no error."""
        record = self._runs.get(run_id)
        try:
            config = parse(record.config)
        except ConfigurationError as error:
            told = f"Today's program no longer understands the configuration: {error.message}"
            return RunProtocolRecord(record.id, _environment(record), (_unknown("Configuration", told),))
        dataset, trouble = self._dataset(record, config)
        facts = (*_protocol(config, dataset), *_environment(record))
        findings = _findings(config, dataset) if dataset is not None else (_unknown("Data", trouble),)
        return RunProtocolRecord(record.id, facts, (*findings, *_numbers(record, config)))

    @staticmethod
    def _dataset(record: RunRecord, config: ExperimentConfig) -> tuple[Dataset | None, str]:
        from engine.data.dataset import load

        try:
            dataset = load(config.data.path)
        except (EngineError, OSError) as error:
            return None, f"The data cannot be read any more, so nothing can be checked: {error}"
        if dataset.fingerprint != record.fingerprint:
            return None, f"{config.data.path} has changed since the run: the check would be of other data."
        return dataset, ""


def _protocol(config: ExperimentConfig, dataset: Dataset | None) -> tuple[ProtocolFact, ...]:
    from engine.data.splits import LeaveOneOut

    evaluate, fidelity = config.evaluate, config.fidelity
    users = "unknown: the data cannot be read"
    candidates = "all items"
    repeats = "unknown"
    if dataset is not None:
        split = LeaveOneOut(dataset.sequences)
        users = f"{len(split.users):,} with at least 4 items; {len(split.too_short):,} are too short"
        candidates = f"all {dataset.item_count + 2 * fidelity.rank_special_tokens:,} items, no sampling"
        if fidelity.rank_special_tokens:
            candidates += "; padding and mask ids take part"
        own = split.test_inputs.items == split.test_targets[split.test_inputs.owners]
        repeated = len(set(split.test_inputs.owners[own].tolist()))
        repeats = f"{repeated:,} of {len(split.users):,} test targets stand in their own input"
    share = "all" if config.data.train_fraction == 1 else f"{config.data.train_fraction:g} of the"
    sample = f"a fixed sample of {evaluate.validation_users:,}" if evaluate.validation_users else "all users"
    counted = {"inputs": "training inputs", "training": "training inputs and their last target"}
    noise = f"unseen items, {evaluate.noise_rate:g} of the length" if evaluate.noise_rate else "none"
    return (
        ProtocolFact(
            "Split", "leave-one-out: last item for test, the one before it for validation", "the authors' code"
        ),
        ProtocolFact("Users evaluated", users, "the authors' code"),
        ProtocolFact("Users trained on", f"{share} users", "data.train_fraction"),
        ProtocolFact("Candidate set", candidates, "§5.1.2, fidelity.rank_special_tokens"),
        ProtocolFact("Seen items", _SEEN.get(evaluate.seen_items, evaluate.seen_items), "evaluate.seen_items"),
        ProtocolFact("Ties", _TIES.get(evaluate.ties, evaluate.ties), "evaluate.ties"),
        ProtocolFact("Repeats", repeats, "this file"),
        ProtocolFact("Negatives in training", negatives_in_words(config), "Eq. 3, fidelity.negatives_exclude"),
        ProtocolFact("Pre-training", _pretraining(config), "§5.5.3, Zhou et al. 2020, train.pretrain_epochs"),
        ProtocolFact("Correlation counts", counted[fidelity.correlation_items], "fidelity.correlation_items"),
        ProtocolFact("Validation during training", sample, "evaluate.validation_users"),
        ProtocolFact("Noise in test inputs", noise, "§5.4, evaluate.noise_rate"),
        ProtocolFact("Metrics", f"HR and NDCG at {', '.join(map(str, KS))}; MRR; means over users", "§5.1.2"),
        ProtocolFact("Precision", config.train.precision, "train.precision"),
    )


def _pretraining(config: ExperimentConfig) -> str:
    """What the epochs before training proper learn from; none of it is held out."""
    epochs, model = config.train.pretrain_epochs, config.model
    if not epochs or not registry.entry("model", model.name).facts["trains"]:
        return "none"
    if not own_pretraining(model.name):
        return f"{epochs_text(epochs)} of contrast between views of the training inputs; not validated"
    is_paired = getattr(model, "masked_item_loss", "") == "pairwise"
    drawn = ", one negative each that avoids what is said above" if is_paired else ""
    segments = ", and segments" if getattr(model, "segment_weight", 0) else ""
    return f"{epochs_text(epochs)} of masked items of the training parts{drawn}{segments}; not validated"


def _environment(record: RunRecord) -> tuple[ProtocolFact, ...]:
    from engine.runs.data import preprocessing_of

    def joined(values: Mapping[str, Any]) -> str:
        return ", ".join(f"{name} {value}" for name, value in values.items() if value) or "not recorded yet"

    return (
        ProtocolFact("Data", f"{record.dataset}, fingerprint {record.fingerprint}", "data.path"),
        ProtocolFact("Preprocessing", preprocessing_of(record), "§5.1.1, import.json"),
        ProtocolFact("Seed", str(record.seed), "train.seed"),
        ProtocolFact("Device", record.device or "not chosen yet", "train.device"),
        ProtocolFact("Versions", joined(record.versions)),
        ProtocolFact("Machine", joined(record.hardware)),
    )


def _findings(config: ExperimentConfig, dataset: Dataset) -> tuple[LeakFinding, ...]:
    from engine.data.leaks import count_leaks

    fidelity = config.fidelity
    found = count_leaks(dataset.sequences, fidelity.correlation_items, fidelity.negatives_exclude)
    pairs = LeakFinding(
        "Training pairs",
        "leak" if found.leaking_pairs else "clean",
        f"{found.leaking_pairs:,} of {found.pairs:,} (input, target) pairs reach a held-out place of their user.",
        found.leaking_pairs,
        found.pairs,
    )
    counted = LeakFinding(
        "Item correlation",
        "leak" if found.leaking_counted else "clean",
        f"{found.leaking_counted:,} of {found.counted:,} actions that memory-based correlation counts are held out.",
        found.leaking_counted,
        found.counted,
    )
    return (pairs, counted, _negatives(config, found.guarded_users, found.users), *_whole_file(config))


def _negatives(config: ExperimentConfig, guarded: int, users: int) -> LeakFinding:
    if not negatives_of(config):
        return LeakFinding("Negatives", "clean", "This loss draws no negatives.", 0, users)
    if guarded:
        return LeakFinding(
            "Negatives",
            "departure",
            f"Of {guarded:,} of {users:,} users the held-out targets are never drawn as a negative: training is told "
            "what not to push away. The published code does so; fidelity.negatives_exclude = training does "
            "not.",
            guarded,
            users,
        )
    return LeakFinding("Negatives", "clean", "Held-out targets can be drawn as negatives like any item.", 0, users)


def _numbers(record: RunRecord, config: ExperimentConfig) -> tuple[LeakFinding, ...]:
    """Whether each split's HR and NDCG can be of one ranking (FACTS F22)."""
    from engine.evaluation.plausibility import implausible

    found = []
    for split, metrics in record.metrics.items():
        wrong = implausible(metrics, half_ranks=config.evaluate.ties == "mean")
        told = " ".join(one.message for one in wrong) or "HR and NDCG at 5, 10 and 20 can be of one ranking."
        found.append(
            LeakFinding(f"Numbers, {split}", "impossible" if wrong else "clean", told, len(wrong), len(metrics))
        )
    return tuple(found)


def _whole_file(config: ExperimentConfig) -> tuple[LeakFinding, ...]:
    """Popularity of the paper's Table 2 counts held-out items too (FACTS F21), where it is asked to."""
    if config.model.name != "popularity" or not getattr(config.model, "count_everything", False):
        return ()
    told = "Popularity counts every action of the file, validation and test targets included, as Table 2's PopRec does."
    return (LeakFinding("Popularity", "leak", told),)


def _unknown(name: str, told: str) -> LeakFinding:
    return LeakFinding(name, "unknown", told)
