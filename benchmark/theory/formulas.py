"""The closed forms, as pure functions of numbers; t = 1, 2, ... is the model of generation t - 1.

Where a source states a limit or the case of infinite samples, the formula here is the exact one for
n items; docs/theory.md derives those that are not in the literature.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln, xlog1py, xlogy

Array = np.ndarray


def replace_variance(t: Array, n: int, ddof: int = 0, spread: float = 1.0) -> Array:
    """E[var_t] under `replace`: (1 - 1/n)^t tau^(2(t-1)), the first factor 1 for ddof = 1
    (Shumailov et al. 2024; lambda = tau^2 of Alemohammad et al. 2024)."""
    return (1 - (1 - ddof) / n) ** t * spread ** (2 * (t - 1))


def replace_drift(t: Array, n: int, ddof: int = 0, spread: float = 1.0) -> Array:
    """E[mean_t^2] under `replace`: 1/n + tau^2/n times the sum of E[var_i] over i < t."""
    steps = spread**2 * replace_variance(np.arange(1, t[-1]), n, ddof, spread)
    return (1 + np.concatenate([[0], np.cumsum(steps)])[t - 1]) / n


def log_variance(t: Array, n: int) -> Array:
    """E[log var_t] under `replace`, unbiased variance: t (psi((n-1)/2) - log((n-1)/2))."""
    return t * (digamma((n - 1) / 2) - np.log((n - 1) / 2))


def accumulation_variance(t: Array, n: int) -> Array:
    """E[var_t], unbounded accumulation, maximum likelihood: prod_{i<=t} (1 - 1/(n i^2))."""
    return np.cumprod(1 - 1 / (n * np.arange(1, t[-1] + 1) ** 2))[t - 1]


def fresh_drift(t: Array, n: int, real: int) -> Array:
    """E[mean_t^2] under `fresh`, `real` new items a crawl: (1 - r^t)/(n (1 - r)) with
    r = b (b - 1/n) and b = 1 - real/n."""
    r = _contraction(n, real)
    return (1 - r**t) / (n * (1 - r))


def fixed_real_drift(t: Array, n: int, real: int) -> Array:
    """E[mean_t^2] under `fixed_real`: m + (1/n - m) r^(t-1), m = (1 + 2ab)/(n (1 - r)), a + b = 1,
    r = b (b - 1/n)."""
    a, r = real / n, _contraction(n, real)
    limit = (1 + 2 * a * (1 - a)) / (n * (1 - r))
    return limit + (1 / n - limit) * r ** (t - 1)


def subsample_drift(t: Array, n: int) -> Array:
    """E[mean_t^2] when t's n items are drawn without replacement from all n t items published.

    With T the sum of the pool's N = n t items: m = 1/n + (1 - 1/n) (E[T^2] - N)/(N (N - 1)), and
    n new items turn E[T^2] into (1 + 2/t) E[T^2] + n + n (n - 1) m.
    """
    square, drifts = float(n), []
    for i in range(1, t[-1] + 1):
        pool = n * i
        drifts.append(1 / n + (1 - 1 / n) * (square - pool) / (pool * (pool - 1)))
        square = (1 + 2 / i) * square + n + n * (n - 1) * drifts[-1]
    return np.array(drifts)[t - 1]


def web_drift(
    t: Array, n: int, floor: float = 0.25, fading: float = 0.6, foreign_share: float = 1 / 3
) -> Array:
    """E[mean_t^2] under `web` in a world whose n real items stay, with foreign fits to them that
    publish new items for every crawl.

    Of n items k are real, s own and f foreign. Two distinct items have the expected product m if
    both are own, 0 if both are real, and else 1/n: a fit's mean and the real items' mean have the
    expected product 1/n in every generation.
    """
    m = 1 / n
    drifts = [m]
    for i in range(1, t[-1]):
        k = round(n * (floor + (1 - floor) * fading**i))
        f = round((n - k) * foreign_share)
        s = n - k - f
        pairs = s * (s - 1) * m + (f * (f - 1) + 2 * (k * f + k * s + s * f)) / n
        m = 1 / n + pairs / n**2
        drifts.append(m)
    return np.array(drifts)[t - 1]


def oracle_drift(t: Array, n: int, floor: float = 0.25, fading: float = 0.6) -> Array:
    """E[mean_t^2] under `web` when each model is fitted to its crawl's k real items: 1/k."""
    return 1 / np.round(n * (floor + (1 - floor) * fading ** (t - 1.0)))


def half_crawl_drift(t: Array, n: int, real: int) -> Array:
    """E[mean_t^2] under `fresh` when each model is fitted to a random half of its crawl, h = n/2:
    m_t = 1/h + (1 - 1/h) s (s - 1)/(n (n - 1)) m_{t-1}, with s = n - real."""
    h, s = n // 2, n - real
    drifts = [1 / n]
    for _ in range(1, t[-1]):
        drifts.append(1 / h + (1 - 1 / h) * s * (s - 1) / (n * (n - 1)) * drifts[-1])
    return np.array(drifts)[t - 1]


def regression_risk(t: Array, n: int, dim: int, noise: float, accumulate: bool) -> Array:
    """E|w_t - w*|^2 = sigma^2 d/(n - d - 1) times t under `replace`, times sum_{i<=t} 1/i^2 for
    unbounded accumulation (Gerstgrasser et al. 2024)."""
    growth = np.cumsum(1 / np.arange(1, t[-1] + 1) ** 2)[t - 1] if accumulate else t
    return noise**2 * dim / (n - dim - 1) * growth


def diversity(t: Array, n: int, law: Array) -> Array:
    """E[1 - sum p_t^2] = (1 - 1/n)^t (1 - sum p^2) under `replace` (Wright 1931, Fisher 1930)."""
    return (1 - 1 / n) ** t * (1 - np.sum(law**2))


def lost(t: Array, n: int, law: Array) -> Array:
    """(len(t), len(law)) probability that a word is in no model from t on, under `replace`.

    At t = 1 it is (1 - p)^n; later the Wright-Fisher chain of its count, Binomial(n, count/n).
    """
    counts = np.arange(n + 1)
    later = np.zeros(n + 1)  # P(lost after i more generations | count)
    later[0] = 1
    step, first = _binomial(n, counts / n), _binomial(n, law)
    losses = []
    for _ in range(t[-1]):
        losses.append(first @ later)
        later = step @ later
    return np.array(losses)[t - 1]


def unseen(n: int, law: Array, cut: int | None = None) -> float:
    """sum p_i (1 - p_i)^n, plus the mass beyond rank `cut` (Dohmatob et al. 2024)."""
    return float(np.sum(law[:cut] * (1 - law[:cut]) ** n) + np.sum(law[len(law[:cut]) :]))


def chi_square(t: Array, n: int, real: int, law: Array, other: Array) -> Array:
    """E[chi^2(q_t||p)] under `fresh`, the model of t = 2 replaced by `other`.

    chi^2(a p + (1-a) q || p) = (1-a)^2 chi^2(q||p), and the frequencies of n items drawn from that
    mixture, an of p and (1-a)n of q, add (a (V-1) + (1-a) (sum q/p - sum q^2/p))/n.
    """
    b, size = 1 - real / n, len(law)
    value, ratio = np.sum((other - law) ** 2 / law), np.sum(other / law)
    values = [(size - 1) / n, value]
    for _ in range(2, t[-1]):
        noise = (1 - b) * (size - 1) + b * (ratio - value - 1)
        value, ratio = b**2 * value + noise / n, (1 - b) * size + b * ratio
        values.append(value)
    return np.array(values)[t - 1]


def moving_fit(shares: Array, n: int, speed: float) -> tuple[Array, Array]:
    """(lag, E[(mean - mu)^2]) by generation in a world whose mean mu moves by `speed`, each crawl
    holding a share of new real items, shares[0] = 1, and items of the newest model else.

    e_t = b (e_{t-1} - s); with u = E[(mean_{t-1} - mu_t)^2] = q_{t-1} - 2 s e_{t-1} + s^2 and v the
    expected variance, q_t = a/n + b^2 u + b v_{t-1}/n and v_t = a + b (u + v_{t-1}) - q_t.
    """
    lag, square, variance = 0.0, 1 / n, 1 - 1 / n
    lags, squares = [lag], [square]
    for a in shares[1:]:
        b = 1 - a
        u = square - 2 * speed * lag + speed**2
        square = a / n + b**2 * u + b * variance / n
        variance = a + b * (u + variance) - square
        lag = b * (lag - speed)
        lags.append(lag)
        squares.append(square)
    return np.array(lags), np.array(squares)


def union_lag(shares: Array, speed: float, rate: float = 1.0) -> Array:
    """Lag of a fit to all crawls, one of age i with weight rate^i: of a crawl, E[mean] is
    c_i = a_i mu_i + (1 - a_i) E[mean_{i-1}], and E[mean_t] the weighted mean of c_0, ..., c_t."""
    crawls, mean, lags = [], 0.0, []
    for t, a in enumerate(shares):
        crawls.append(a * speed * t + (1 - a) * mean)
        weights = rate ** np.arange(t, -1.0, -1)
        mean = float(weights @ crawls / weights.sum())
        lags.append(mean - speed * t)
    return np.array(lags)


def drawn_union_lag(generations: int, speed: float) -> Array:
    """Lag under `accumulate`, whose crawl t is drawn from the real items of eras 0, ..., t and the
    output of models 0, ..., t - 1, as many of each."""
    means: list[float] = []
    for t in range(generations):
        real = speed * np.arange(t + 1)
        means.append((real.sum() + sum(means)) / (2 * t + 1))
    return np.array(means) - speed * np.arange(generations)


def purity(n: int, real: int, missed: float) -> float:
    """Expected share of real items among those that a watermark leaves: all `real` ones, and each
    of the n - real others with probability `missed`, its false-negative rate."""
    overlooked = np.arange(n - real + 1)
    return float(_binomial(n - real, np.array([missed]))[0] @ (real / (real + overlooked)))


def mixing_risk(t: Array, n: int, real: int, law: Array) -> Array:
    """E|p_t - p|^2 under `fresh`: R_t = R_0 + (b^2 - b/n) R_{t-1}, R_0 = (1 - sum p^2)/n."""
    first, r = (1 - np.sum(law**2)) / n, _contraction(n, real)
    return first * (1 - r**t) / (1 - r)


def picture_variance(t: Array, n: int, p: float, writer: str) -> Array:
    """E[variance of the pictures of a caption of probability p], 0 once the caption is lost.

    A fit to j pictures keeps 1 - 1/j of the variance. `writer` "frozen": j is binomial at t = 1
    and stays; "learnt": it goes on as the chain Binomial(n, j/n).
    """
    counts = np.arange(n + 1)
    kept = np.where(counts > 0, 1 - 1 / np.maximum(counts, 1), 0.0)
    (chance,) = _binomial(n, np.array([p]))
    if writer == "frozen":
        return np.array([chance @ kept**i for i in t])
    step = _binomial(n, counts / n)
    value, values = chance * kept, []
    for _ in range(t[-1]):
        values.append(value.sum())
        value = (value @ step) * kept
    return np.array(values)[t - 1]


def joint_frechet(covariance: Array, other: Array) -> float:
    """Squared Frechet distance of two centred Gaussians in the plane: tr A + tr B - 2 tr (AB)^1/2,
    the last trace being sqrt(tr AB + 2 sqrt(det AB))."""
    product = covariance @ other
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    return float(np.trace(covariance) + np.trace(other) - 2 * root)


def _binomial(n: int, p: Array) -> Array:
    """(len(p), n + 1) probabilities of 0, ..., n successes among n, each of probability p.

    By logarithms of factorials: scipy.stats takes four times as long.
    """
    k = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.exp(ways + xlogy(k, p[:, None]) + xlog1py(n - k, -p[:, None]))


def _contraction(n: int, real: int) -> float:
    b = 1 - real / n
    return b * (b - 1 / n)
