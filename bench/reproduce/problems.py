"""Job specs (posteriord.v1.JobSpec as protobuf JSON) of the paper's problems, and of regression."""

from __future__ import annotations

from bench.reproduce.posteriorctl import Json

INPUTS = 50
HIDDEN = 10
TRAIN_SAMPLES = 2084
TEST_SAMPLES = 2000

INTERMEDIATE = "intermediate"
CLASSICAL = "classical"
_POSTERIORS = {
    INTERMEDIATE: "POSTERIOR_INTERMEDIATE_NOISE",
    CLASSICAL: "POSTERIOR_CLASSICAL",
}
_RELU: Json = {"activation": {"kind": "KIND_RELU"}}

INFORMED: Json = {"informed": {}, "chains": 1}
ZERO: Json = {"zero": {}, "chains": 1}


def prior_start(chains: int) -> Json:
    """Returns a group of chains that start at the prior."""
    return {"prior": {}, "chains": chains}


def population_start(members: int, sweeps: int) -> Json:
    """Returns a group of one chain that starts at the best of a population."""
    return {"population": {"members": members, "sweeps": sweeps}, "chains": 1}


def population_sweeps(members: int, sweeps: int) -> int:
    """Returns the sweeps of all members and rounds of a population."""
    total = 0
    while members > 1:
        total += members * sweeps
        members -= members // 2
    return total


def schedule(sweeps: int, warmup: int | None = None, draws: int = 100) -> Json:
    """Returns a schedule of `sweeps` sweeps that stores about so many draws.

    The warm-up is the first half, or at least `warmup` sweeps.
    """
    rest = sweeps - (sweeps // 2 if warmup is None else warmup)
    thinning = max(1, rest // draws)
    draws = rest // thinning
    return {
        "warmup_sweeps": sweeps - draws * thinning,
        "draws": draws,
        "thinning": thinning,
    }


def total_sweeps(spec: Json) -> int:
    """Returns the sweeps of all chains of a job."""
    plan = spec["schedule"]
    each = plan["warmup_sweeps"] + plan["draws"] * plan["thinning"]
    return each * sum(group["chains"] for group in spec["chain_groups"])


def reference(
    delta: float,
    seed: int,
    sweeps: int,
    groups: list[Json],
    *,
    noiseless: bool,
    precision: str,
    posterior: str = INTERMEDIATE,
    sampler: Json | None = None,
    thermalization: Json | None = None,
) -> Json:
    """Returns the reference problem of the paper on labels of a random teacher.

    Inputs, teacher and chains are those of the run number `seed`. `delta` is the variance of the
    noise after every layer, or for the classical posterior that of the output alone.
    """
    spec: Json = {
        "network": {
            "layers": [{"dense": {"units": HIDDEN}}, _RELU, {"dense": {"units": 1}}],
            "noise_variance": delta,
            "likelihood": {"gaussian": {}},
            "posterior": _POSTERIORS[posterior],
        },
        "data": {
            "gaussian": {
                "dimension": INPUTS,
                "train_samples": TRAIN_SAMPLES,
                "test_samples": TEST_SAMPLES,
                "seed": seed,
            },
            "teacher": {"seed": seed + 1000, "noiseless": noiseless},
        },
        "sampler": {"gibbs": {}} if sampler is None else sampler,
        "chain_groups": groups,
        "schedule": schedule(sweeps),
        "seed": seed,
        "precision": f"PRECISION_{precision.upper()}",
    }
    if thermalization is not None:
        spec["thermalization"] = thermalization
    return spec


def _digits(network: Json, dataset: str, sampler: Json, sweeps: int) -> Json:
    return {
        "network": network,
        "data": {"dataset": {"dataset": dataset}},
        "sampler": sampler,
        "chain_groups": [ZERO],
        "schedule": schedule(sweeps),
        "precision": "PRECISION_FLOAT32",
    }


def mnist_mlp_gibbs(dataset: str, delta: float, sweeps: int) -> Json:
    """Returns the 784-12-10 network with a probit output, sampled from zero by Gibbs."""
    network = {
        "layers": [{"dense": {"units": 12}}, _RELU, {"dense": {"units": 10}}],
        "noise_variance": delta,
        "likelihood": {"probit": {}},
    }
    return _digits(network, dataset, {"gibbs": {}}, sweeps)


def mnist_mlp_mala(dataset: str, delta: float, steps: int) -> Json:
    """Returns the same network with a softmax output, sampled from zero by MALA.

    The density is the authors': exp(-cross entropy / (2 Delta)).
    """
    network = {
        "layers": [{"dense": {"units": 12}}, _RELU, {"dense": {"units": 10}}],
        "likelihood": {"softmax": {"temperature": 2 * delta}},
        "posterior": _POSTERIORS[CLASSICAL],
    }
    return _digits(network, dataset, {"mala": {}}, steps)


def mnist_cnn_gibbs(dataset: str, delta: float, sweeps: int) -> Json:
    """Returns the authors' convolutional network, probit, sampled from zero by Gibbs."""
    network = {
        "layers": [
            {"conv2d": {"channels": 2, "kernel_height": 4, "kernel_width": 4, "stride": 2}},
            {"avg_pool2d": {"height": 2, "width": 2}},
            _RELU,
            {"flatten": {}},
            {"dense": {"units": 10}},
        ],
        "noise_variance": delta,
        "input_shape": {"channels": 1, "height": 28, "width": 28},
        "likelihood": {"probit": {}},
    }
    return _digits(network, dataset, {"gibbs": {}}, sweeps)


def regression(
    dataset: str,
    seed: int,
    plan: Json,
    groups: list[Json],
    *,
    hidden: int,
    hidden_noise: float,
    output_noise: float,
    posterior: str,
    sampler: Json,
    precision: str,
    observation: Json,
) -> Json:
    """Returns a network with one hidden layer of ReLUs on a data set with one target.

    `hidden_noise` is the variance of the noises before and after the ReLUs, of which the classical
    posterior has none. `plan` is the schedule.
    """
    network: Json = {
        "layers": [
            {"dense": {"units": hidden}}, _RELU,
            {"dense": {"units": 1}, "noise_variance": output_noise},
        ],
        "likelihood": {"gaussian": {}},
        "posterior": _POSTERIORS[posterior],
    }
    if posterior == INTERMEDIATE:
        network["noise_variance"] = hidden_noise
    return {
        "network": network,
        "data": {"dataset": {"dataset": dataset}},
        "sampler": sampler,
        "chain_groups": groups,
        "schedule": plan,
        "seed": seed,
        "precision": f"PRECISION_{precision.upper()}",
        "observation": observation,
    }
