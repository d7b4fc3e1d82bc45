"""VowpalWabbit plays the requests of a world, read from standard input, and prints what it earned: the sum of the means of what it chose.

A line each: the items first, as a list of their tokens, then the requests, as [context, offered, means, chance].
"""

import json
import random
import sys

from vowpalwabbit import Workspace

items = json.loads(sys.stdin.readline())
lines_of = [
    f"|a id=item{i} " + " ".join(f"t{t}=v{level}" for t, level in enumerate(tokens)) for i, tokens in enumerate(items)
]
workspace = Workspace(f"--cb_explore_adf -b 18 -q ca --quiet --random_seed 1 {' '.join(sys.argv[2:])}")
chance_of_choice = random.Random(int(sys.argv[1]))
earned = 0.0
for line in sys.stdin:
    context, offered, means, chance = json.loads(line)
    shared = "shared |c " + " ".join(f"c{i}=v{level}" for i, level in enumerate(context))
    lines = [lines_of[item] for item in offered]
    probabilities = workspace.predict([shared, *lines])
    (chosen,) = chance_of_choice.choices(range(len(lines)), weights=probabilities)
    earned += means[chosen]
    cost = -1 if chance < means[chosen] else 0
    lines[chosen] = f"0:{cost}:{probabilities[chosen]} {lines[chosen]}"
    workspace.learn([shared, *lines])
print(earned)
