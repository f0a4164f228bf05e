"""Says in few lines where two servers' answers to a step differ."""

import json

WIDTH = 300


def _short(value):
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def leaf_differences(first, second, path=""):
    """[(path, first's value, second's)] of the smallest parts of two JSON values that differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        keys = sorted(set(first) | set(second))
        missing = {"(absent)": 0}
        pairs = [(f"{path}.{key}", first.get(key, missing), second.get(key, missing)) for key in keys]
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(first, second))]
    else:
        return [] if json.dumps(first) == json.dumps(second) else [(path, first, second)]
    return [leaf for where, a, b in pairs for leaf in leaf_differences(a, b, where)]


def describe(step, differences, names=("stock", "ours")):
    """The step and what differs in the answers, as lines."""
    session, message = step
    lines = [f"session {session} sends {_short(message)}"]
    for session, first, second in differences:
        only_first = [json.loads(line) for line in first if line not in second]
        only_second = [json.loads(line) for line in second if line not in first]
        if len(only_first) == len(only_second):
            for a, b in zip(only_first, only_second):
                lines.append(f"session {session} receives {_short(a.get('method', 'a reply'))}")
                for path, one, other in leaf_differences(a, b):
                    lines.append(f"  {path}\n    {names[0]}: {_short(one)}\n    {names[1]}: {_short(other)}")
            if not only_first:
                lines.append(f"session {session} receives the same in another order")
                for name, messages in zip(names, (first, second)):
                    lines += [f"    {name}: {_short(message)}" for message in messages]
            continue
        lines.append(f"session {session} receives")
        lines += [f"    {names[0]}: {_short(message)}" for message in only_first]
        lines += [f"    {names[1]}: {_short(message)}" for message in only_second]
    return lines
