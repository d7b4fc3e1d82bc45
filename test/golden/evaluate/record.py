"""What the Open Bandit Pipeline and VowpalWabbit/estimators give on the log of make-log.ts; see README.md.

    python test/golden/evaluate/record.py FOLDER > test/golden/evaluate/generated.json
"""

import hashlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from unittest.mock import MagicMock

# obp imports these for learners and plots, and no estimator needs them.
for name in ("torch", "torch.nn", "torch.nn.functional", "torch.optim", "matplotlib", "matplotlib.pyplot", "seaborn"):
    sys.modules[name] = MagicMock()
sys.modules["torch"].utils.data.Dataset = object

import numpy as np
import pandas as pd
from estimators.bandits import cressieread, gaussian, ips, mle, snips
from obp.ope import (
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    ReplayMethod,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
    SubGaussianDoublyRobust,
    SubGaussianInverseProbabilityWeighting,
    SwitchDoublyRobust,
)

FILES = ["log.csv", "by_slot.csv", "by_x.csv", "chosen_by_slot.csv"]
ACTIONS = 6
PRIOR = 10
REWARDS = {"reward": (0, 1), "reward_number": (-3, 11)}
CLIPS = [2, 5, 10]
SWITCHES = [1, 2, 5, 10]
SHRINKAGES = [1, 10, 100]
SUB_GAUSSIANS = [0.1, 0.5]
ALPHAS = [0.01, 0.05, 0.1]

DEFINITIONS = {
    "w": "w_i = pi_e(a_i)/propensity_i; pi_e(a) stands for pi_e(a|slot_i,x_i)",
    "wmax": "the largest pi_e(a)/b(a) over all rows and actions, logged or not; every slot and x is in the log",
    "rows_with_w_N": "rows whose w is exactly N in IEEE doubles; no other w is within 1e-5 of N",
    "replay": "sum_i 1{pi_e(a_i)=1} r_i / sum_i 1{pi_e(a_i)=1}; only of the deterministic candidate",
    "ipw": "mean(w r)",
    "ipw_clipL": "mean(min(w,L) r)",
    "snipw": "sum(w r)/sum(w)",
    "sgipw_l": "mean(w/(1-l+l w) r)",
    "dm": "mean_i sum_a pi_e(a) q(i,a) / sum_a pi_e(a)",
    "dr": "mean(dm_i + w (r - q(i,a_i)))",
    "dr_clipL": "w -> min(w,L)",
    "sndr": "mean(dm_i) + sum(w (r-q))/sum(w)",
    "switch_dr_L": "mean(dm_i + 1{w<=L} w (r-q)): a row whose w is L has its term",
    "dros_L": "mean(dm_i + (L w/(w^2+L)) (r-q))",
    "sgdr_l": "w -> w/(1-l+l w)",
    "models": {
        "action_slot_k10": "q[a,slot] = (sum r + 10 rbar)/(n + 10) over the rows of the log with that action and slot; "
        "rbar is the mean reward of the log",
        "action_slot_k10_xfit2": "the same from half of the log, rbar too: a row of fold `row` mod 2 meets the table of the "
        "rows of the other fold",
    },
    "vw": {
        "ips": "sum(w r)/n",
        "snips": "sum(w r)/sum(w)",
        "mle": "empirical-likelihood estimator (bandits/mle.py), wmin=0, wmax as given",
        "cressieread": "CR(-2) point, wmin=0, wmax as given",
        "intervals": "by alpha: [lower, upper]; gaussian: ips +- z_{1-alpha/2} sqrt(var/n), ddof=1; cressieread: "
        "bandits/cressieread.py Interval(wmin=0, wmax, rmin, rmax).get(alpha), rmin and rmax as in `log.rewards`",
    },
}


def read_csv(path):
    return pd.read_csv(path, float_precision="round_trip")


def candidates(folder, log):
    """Name -> rows x actions, the candidate's probabilities."""

    def table(name, by):
        cells = read_csv(folder / f"{name}.csv").pivot(index=by, columns="action", values="probability")
        return cells.to_numpy()[log[by]]

    return {
        "uniform": np.full((len(log), ACTIONS), 1 / ACTIONS),
        "by_slot": table("by_slot", "slot"),
        "by_x": table("by_x", "x"),
        "contextual": columns(log, "pi"),
        "chosen_by_slot": table("chosen_by_slot", "slot"),
    }


def columns(log, prefix):
    return log[[f"{prefix}_{a}" for a in range(ACTIONS)]].to_numpy()


def fit(train, reward, rows):
    """rows x actions, what the table made of `train` says of `rows`."""
    mean = train[reward].mean()
    q = np.full((3, ACTIONS), mean)
    for (slot, action), cell in train.groupby(["slot", "action"]):
        q[slot, action] = (cell[reward].sum() + PRIOR * mean) / (len(cell) + PRIOR)
    return q[rows["slot"]]


def cross_fit(log, reward):
    q = np.empty((len(log), ACTIONS))
    fold = log["row"] % 2
    for f in (0, 1):
        q[fold == f] = fit(log[fold != f], reward, log[fold == f])
    return q


def weighting(inputs, deterministic):
    estimators = {
        "ipw": InverseProbabilityWeighting(),
        **{f"ipw_clip{clip}": InverseProbabilityWeighting(lambda_=clip) for clip in CLIPS},
        "snipw": SelfNormalizedInverseProbabilityWeighting(),
        **{f"sgipw_{l}": SubGaussianInverseProbabilityWeighting(lambda_=l) for l in SUB_GAUSSIANS},
    }
    if deterministic:
        estimators["replay"] = ReplayMethod()
    return values(estimators, inputs)


def modelled(inputs, q):
    estimators = {
        "dm": DirectMethod(),
        "dr": DoublyRobust(),
        **{f"dr_clip{clip}": DoublyRobust(lambda_=clip) for clip in CLIPS},
        "sndr": SelfNormalizedDoublyRobust(),
        **{f"switch_dr_{l}": SwitchDoublyRobust(lambda_=l) for l in SWITCHES},
        **{f"dros_{l}": DoublyRobustWithShrinkage(lambda_=l) for l in SHRINKAGES},
        **{f"sgdr_{l}": SubGaussianDoublyRobust(lambda_=l) for l in SUB_GAUSSIANS},
    }
    return values(estimators, {**inputs, "estimated_rewards_by_reg_model": q[:, :, None]})


def values(estimators, inputs):
    return {name: float(estimator.estimate_policy_value(**inputs)) for name, estimator in estimators.items()}


def vowpal_wabbit(log, reward, predicted, wmax):
    rmin, rmax = REWARDS[reward]
    points = {
        "ips": ips.Estimator(),
        "snips": snips.Estimator(),
        "mle": mle.Estimator(wmin=0, wmax=wmax),
        "cressieread": cressieread.Estimator(wmin=0, wmax=wmax),
    }
    intervals = {
        "gaussian": gaussian.Interval(),
        "cressieread": cressieread.Interval(wmin=0, wmax=wmax, rmin=rmin, rmax=rmax),
    }
    for row in zip(log["propensity"].tolist(), log[reward].tolist(), predicted.tolist()):
        for estimator in (*points.values(), *intervals.values()):
            estimator.add_example(*row)
    return {
        **{name: float(point.get()) for name, point in points.items()},
        "intervals": {
            str(alpha): {name: [float(bound) for bound in interval.get(alpha)] for name, interval in intervals.items()}
            for alpha in ALPHAS
        },
    }


def judge(log, reward, pi, q):
    action = log["action"].to_numpy()
    predicted = pi[np.arange(len(log)), action]
    w = predicted / log["propensity"].to_numpy()
    wmax = float((pi / columns(log, "b")).max())
    inputs = {
        "reward": log[reward].to_numpy(),
        "action": action,
        "pscore": log["propensity"].to_numpy(),
        "action_dist": pi[:, :, None],
        "position": np.zeros(len(log), dtype=int),
    }
    return {
        "diagnostics_by_script": {
            "mean_w": float(w.mean()),
            "max_w": float(w.max()),
            "wmax": wmax,
            "ess_kish": float(w.sum() ** 2 / (w**2).sum()),
            "n_w_zero": int((w == 0).sum()),
            **{f"rows_with_w_{l}": int((w == l).sum()) for l in SWITCHES},
        },
        **weighting(inputs, deterministic=bool((pi.max(axis=1) == 1).all())),
        "models": {name: modelled(inputs, table) for name, table in q.items()},
        "vw": vowpal_wabbit(log, reward, predicted, wmax),
    }


def main(folder):
    log = read_csv(folder / "log.csv")
    results = {}
    for reward in REWARDS:
        q = {"action_slot_k10": fit(log, reward, log), "action_slot_k10_xfit2": cross_fit(log, reward)}
        results[reward] = {name: judge(log, reward, pi, q) for name, pi in candidates(folder, log).items()}
    packages = ["obp", "vw-estimators", "numpy", "scipy", "scikit-learn", "pandas"]
    return {
        "_about": "Made by record.py of the files that make-log.ts makes. Compare with relative tolerance 1e-9.",
        "versions": {**{name: version(name) for name in packages}, "python": platform.python_version()},
        "definitions": DEFINITIONS,
        "log": {
            "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
            "rows": len(log),
            "rewards": {name: {"range": bounds, "mean": float(log[name].mean())} for name, bounds in REWARDS.items()},
        },
        "results": results,
    }


print(json.dumps(main(Path(sys.argv[1])), indent=1))
