"""Runs the steps of a sequence on two control planes and compares what comes of each."""

import json
import re
import shutil
import tempfile

from harness.daemon import CommandFailed, DaemonDied
from northd_fuzz import corpus
from northd_fuzz.plane import Stuck, make_planes

# Of NB_Global: what northds would choose at random.
OPTIONS = {"mac_prefix": "0a:00:00", "svc_monitor_mac": "0a:00:00:00:00:01"}


SELECT = re.compile(r"reg8\[0\.\.15\] = (\d+); reg8\[16\.\.31\] = (?:select\((?:values=\()?)?(\d+(?:, \d+)*)")
MEMBER = re.compile(r"reg8\[0\.\.15\] == (\d+) && reg8\[16\.\.31\] == (\d+)")
NO_CHAIN = re.compile(r"reg9\[16\.\.31\] == 0 && \((.*)\)")


class Failure:
    def __init__(self, step, kind, lines):
        self.step = step
        self.kind = kind  # "difference", "incremental", "death" or "stuck".
        self.lines = lines


class Outcome:
    failure = None
    given_up = ""  # Why there is nothing to compare with any more, if that is so.
    healed = 0  # Steps after which the reference was right only once it had recomputed all.


def run(steps):
    """Runs them to the first difference, on new control planes."""
    directory = tempfile.mkdtemp(prefix="northd-fuzz-")
    planes = []
    try:
        planes = make_planes(directory)
        for plane in planes:
            plane.start(OPTIONS)
        return _run_on(planes, steps)
    finally:
        for plane in planes:
            plane.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _run_on(planes, steps):
    reference, ours = planes
    outcome = Outcome()
    for number, step in enumerate(steps):
        before = [plane.port_rows() for plane in planes]
        try:
            lines = _apply(planes, step)
            if not lines:
                for plane in planes:
                    plane.wait()
                # It keeps what was learned of these if by chance they get the tunnel keys that they had.
                if renewed := renewed_by_both(before, [plane.port_rows() for plane in planes]):
                    reference.forget_learned(reference.learned(renewed) - ours.learned(renewed))
                lines = compare(planes)
                # What it does to a change is not always what it does to the whole, and some of that it
                # only does anew in a new process.
                for again in (reference.recompute, reference.restart):
                    if not lines:
                        break
                    again()
                    lines = compare(planes)
                    outcome.healed += not lines
                renewed = renewed_alone(before, [plane.port_rows() for plane in planes], reference.asking_for_keys())
                if lines and renewed:
                    outcome.given_up = f"step {number}: the reference made the rows of ports anew: {', '.join(renewed)}"
                    return outcome
        except (DaemonDied, Stuck) as error:
            if str(error).startswith(ours.name) or not ours.northd.running():
                outcome.failure = Failure(number, "stuck" if isinstance(error, Stuck) else "death", str(error).splitlines())
            else:
                outcome.given_up = f"step {number}: " + str(error).splitlines()[0]
            return outcome
        if lines:
            outcome.failure = Failure(number, "difference", lines)
            return outcome
    try:
        ours.northd.appctl("inc-engine/compare")
    except CommandFailed as error:
        outcome.failure = Failure(len(steps) - 1, "incremental", str(error).splitlines()[:40])
    return outcome


def renewed_by_both(before, after):
    """Ports whose row has been put in the place of another by both planes."""
    return set.intersection(*({port for port in was.keys() & now.keys() if was[port] != now[port]}
                              for was, now in zip(before, after)))


def renewed_alone(before, after, asking):
    """Ports, of those that ask for a tunnel key, whose row the reference alone has put in the place of another.

    It does that for one that asks for another's key, unless it is started on the change: what was written
    into the row and referred to it is gone then.
    """
    (was, was_ours), (now, is_ours) = before, after
    return sorted(port for port in asking & was.keys() & now.keys() & was_ours.keys() & is_ours.keys()
                  if was[port] != now[port] and was_ours[port] == is_ours[port])


def _apply(planes, step):
    """Carries out a step's edits; lines about one that only one of the planes took."""
    for number, edit in enumerate(step):
        if edit["db"] == "sb" and number > 0:
            for plane in planes:  # It may be about what northd is to write first, or again.
                plane.wait()
            if any(operation["table"] == "Chassis" for operation in edit["ops"]):
                planes[0].recompute()  # It still leaves a port bound to what has been a remote chassis until now.
        accepted = [plane.apply(edit) for plane in planes]
        if _asks_for_address(edit):  # Who comes first gets the first one: each comes by itself.
            for plane in planes:
                plane.wait()
        if accepted[0] != accepted[1]:
            return [f"accepted by {[p.name for p, yes in zip(planes, accepted) if yes]} alone: {edit}"]
    return []


def _asks_for_address(edit):
    return any("dynamic" in json.dumps(operation.get("row", {}).get("addresses")) for operation in edit["ops"])


def compare(planes):
    """Lines about what differs."""
    (expected_nb, expected_sb), (actual_nb, actual_sb) = (plane.dump() for plane in planes)
    for southbound in (expected_sb, actual_sb):
        _order_nat_addresses(southbound)
        _forget_no_chain(southbound)
        _number_members(southbound)
    _forget_query_sources(expected_sb, expected_nb)
    _forget_stale_macs(expected_sb, actual_sb)
    _forget_unlearnable(planes[1], expected_sb, actual_sb)
    expected, actual = corpus.canon(expected_sb, expected_nb), corpus.canon(actual_sb, actual_nb)
    sections = corpus.differences(expected, actual)
    tables = {uuid[:8]: table for table, rows in expected_nb.items() for uuid in rows}
    for section in sections.values():
        section.differing = [pair for pair in section.differing if not _differ_in_choice(pair, tables)]
        section.missing = [line for line in section.missing if not jumps_elsewhere(line, expected_nb)]
    sections = {name: section for name, section in sections.items() if not section.equal}
    lines = []
    if sections:
        corpus.report(sections, {**actual.labels, **expected.labels}, 4, lines.append)
    return lines + _northbound_differences(expected_nb, actual_nb)


def jumps_elsewhere(line, northbound):
    """Whether a flow is for a policy that jumps to a chain that other routers have, but not its own.

    With the same network, the reference has it in one run and not in another; ours never has it.
    """
    if '"actions": "reg9[16..31]=' not in line:
        return False
    policies = northbound["Logical_Router_Policy"]
    by_router = {}
    for router, row in northbound["Logical_Router"].items():
        own = row["policies"]
        by_router[router] = [policies[uuid] for _, uuid in (own[1] if own[0] == "set" else [own])]
    chains = {router: [row["chain"] for row in rows if isinstance(row["chain"], str)] for router, rows in by_router.items()}
    return any(line.startswith(f"lr:{router[:8]} {row['priority']} ") and row["match"] in line
               for router, rows in by_router.items() for row in rows
               if row["action"] == "jump" and row["jump_chain"] not in chains[router]
               and any(row["jump_chain"] in others for others in chains.values()))


def _order_nat_addresses(southbound):
    """A set in words, which the reference writes in the order of their hashes."""
    for row in southbound["Port_Binding"].values():
        values = row["nat_addresses"]
        values = values[1] if isinstance(values, list) else [values]
        row["nat_addresses"] = ["set", sorted(" ".join(sorted(value.split())) for value in values)]


def _forget_no_chain(southbound):
    """A policy of no chain says so if the reference has met a policy of a chain before, on whichever router."""
    for row in southbound["Logical_Flow"].values():
        found = NO_CHAIN.fullmatch(row["match"])
        if found:
            row["match"] = found[1]


def _number_members(southbound):
    """Which numbers the members of an ECMP group have does not matter, as long as each has a flow: they count
    from 1 where one is selected. The flows themselves are compared by what they do."""
    flows = southbound["Logical_Flow"].values()
    members = {(row["table_id"], datapath, *found.groups()) for row in flows if (found := MEMBER.match(row["match"]))
               for datapath in _datapaths(southbound, row)}
    for row in flows:
        found = SELECT.search(row["actions"])
        if not found:
            continue
        group, numbers = found[1], found[2].split(", ")
        if all((row["table_id"] + 1, datapath, group, number) in members
               for datapath in _datapaths(southbound, row) for number in numbers):
            counted = ", ".join(str(i + 1) for i in range(len(numbers)))
            row["actions"] = row["actions"][: found.start(2)] + counted + row["actions"][found.end(2) :]


def _datapaths(southbound, flow):
    """Of a flow: its own, or those of its group."""
    own, group = flow["logical_datapath"], flow["logical_dp_group"]
    if own[0] == "uuid":
        return [own[1]]
    members = southbound["Logical_DP_Group"][group[1]]["datapaths"]
    return [uuid for _, uuid in (members[1] if members[0] == "set" else [members])]


def _forget_query_sources(southbound, northbound):
    """The reference leaves in IP_Multicast what a switch's other_config:mcast_eth_src and the like once were."""
    for row in southbound["IP_Multicast"].values():
        binding = southbound["Datapath_Binding"][row["datapath"][1]]
        switch = northbound["Logical_Switch"].get(dict(binding["external_ids"][1]).get("logical-switch"))
        config = dict(switch["other_config"][1]) if switch else {}
        for column in ("eth_src", "ip4_src", "ip6_src"):
            if f"mcast_{column}" not in config:
                row[column] = ""


def _forget_stale_macs(expected, actual):
    """The reference deletes MAC bindings of what is no router's port, and those at a switch's datapath, only when
    it deletes a port, whichever. Ours deletes the former at once, and keeps the latter."""
    routers = _routers(expected)
    ports = {row["logical_port"] for row in expected["Port_Binding"].values() if row["datapath"][1] in routers}
    bindings = expected["MAC_Binding"]
    expected["MAC_Binding"] = {uuid: row for uuid, row in bindings.items() if row["logical_port"] in ports}
    routers = _routers(actual)
    actual["MAC_Binding"] = {uuid: row for uuid, row in actual["MAC_Binding"].items()
                             if uuid in bindings or row["datapath"][1] in routers}


def _routers(southbound):
    """The datapaths of them."""
    return {uuid for uuid, row in southbound["Datapath_Binding"].items() if "logical-router" in dict(row["external_ids"][1])}


def _forget_unlearnable(ours, expected, actual):
    """What is said to be learned of a port without `unknown` is gone from the reference if it has met a change of
    that port since it last began anew, and stays gone: ours loses it, too."""
    keys = {uuid: row["tunnel_key"] for uuid, row in actual["Datapath_Binding"].items()}
    ports = {(keys[row["datapath"][1]], row["tunnel_key"]) for row in actual["Port_Binding"].values()
             if "unknown" not in _ordered(row["mac"])}
    for uuid in [uuid for uuid, row in actual["FDB"].items()
                 if uuid not in expected["FDB"] and (row["dp_key"], row["port_key"]) in ports]:
        del actual["FDB"][uuid]
        ours.apply({"db": "sb", "ops": [{"op": "delete", "table": "FDB", "where": [["_uuid", "==", ["uuid", uuid]]]}]})


def _differ_in_choice(pair, tables):
    """Whether two flows differ in nothing but which of several rows of a table they are said to be for.

    Where several rows ask for the same flow, the reference names the one that it came to first, and still
    does when that one is gone and the flow stays for another's sake.
    """
    _, expected, actual = pair
    a, b = json.loads(expected), json.loads(actual)
    want, have = [flow.pop("hint", None) if isinstance(flow, dict) else None for flow in (a, b)]
    return a == b and bool(want) and have in tables and tables.get(want, tables[have]) == tables[have]


def _northbound_differences(expected, actual):
    lines = []
    for table in sorted(expected):
        if table == "NB_Global":  # Counters, times, and who wrote it.
            continue
        for uuid in sorted({*expected[table], *actual[table]}):
            want, have = expected[table].get(uuid), actual[table].get(uuid)
            if want is None or have is None:
                lines.append(f"NB {table} {uuid}: {'extra' if want is None else 'missing'}")
                continue
            for column in want:
                if _ordered(want[column]) != _ordered(have[column]):
                    lines.append(f"NB {table} {uuid} {column}: {want[column]} here, {have[column]} there")
    return lines


def _ordered(value):
    if isinstance(value, list) and value[:1] in (["set"], ["map"]):
        return sorted(value[1], key=str)
    return [value]
