"""VowpalWabbit plays worlds, one after the other, and prints what it earned in each: the sum of the means of what it chose.

It reads a world's seed and how many requests it has, its items, each a list of tokens, and the requests, as [context, offered, means, chance]: a line of JSON each.
"""

import json
import random
import sys

from vowpalwabbit import Workspace


def play(seed, items, requests):
    lines_of = [
        f"|a id=item{i} " + " ".join(f"t{t}=v{level}" for t, level in enumerate(tokens))
        for i, tokens in enumerate(items)
    ]
    workspace = Workspace(f"--cb_explore_adf -b 18 -q ca --quiet --random_seed 1 {' '.join(sys.argv[1:])}")
    chance_of_choice = random.Random(seed)
    earned = 0.0
    for context, offered, means, chance in requests:
        shared = "shared |c " + " ".join(f"c{i}=v{level}" for i, level in enumerate(context))
        lines = [lines_of[item] for item in offered]
        probabilities = workspace.predict([shared, *lines])
        (chosen,) = chance_of_choice.choices(range(len(lines)), weights=probabilities)
        earned += means[chosen]
        cost = -1 if chance < means[chosen] else 0
        lines[chosen] = f"0:{cost}:{probabilities[chosen]} {lines[chosen]}"
        workspace.learn([shared, *lines])
    workspace.finish()
    return earned


lines = map(json.loads, sys.stdin)
for seed, count in lines:
    items = next(lines)
    # All of it first: whoever writes it has something else to do meanwhile.
    requests = [next(lines) for _ in range(count)]
    print(play(seed, items, requests), flush=True)
