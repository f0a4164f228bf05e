"""What run.py runs: which database, which load, which figures, and the targets for them."""

import dataclasses

import cluster_scenarios


@dataclasses.dataclass(frozen=True)
class Database:
    kind: str  # nb or sb.
    rows: int
    datapaths: int = 0

    def name(self):
        return {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}[self.kind]

    def flags(self):
        return [f"--kind={self.kind}", f"--rows={self.rows}", f"--datapaths={self.datapaths}"]


@dataclasses.dataclass(frozen=True)
class Metric:
    key: str  # In boreas-load's line.
    title: str
    unit: str
    factor: float = 1.0  # From the line's unit to ours.
    ratio: float = None  # At most so much of stock's figure.
    limit: float = None  # At most so much, in `unit`.


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    command: str
    database: Database
    load: dict
    metrics: tuple
    through: str = None  # A cluster, and clients go to its "leader", a "follower", or stock's server as "third".
    drive: object = None  # A function of cluster_scenarios.py in the place of `command`.

    def flags(self):
        return self.database.flags()[1:] + [f"--{k}={v}" for k, v in self.load.items()]


def cpu_per(what, ratio=None):
    return Metric("cpu_usec_per_op", f"CPU per {what}", "us", ratio=ratio)


def cpu_total(ratio=None):
    return Metric("cpu_sec", "CPU", "s", ratio=ratio)


def peak(ratio=None):
    return Metric("peak_kib", "peak memory", "MiB", 1 / 1024, ratio)


def longest_echo(limit=None):
    return Metric("echo_max_usec", "longest echo meanwhile", "ms", 1 / 1000, limit=limit)


def small_transactions(full):
    database = Database("nb", 12000)
    operations = 30000 if full else 6000

    def scenario(name, title, ratio, **load):
        load = {"operations": operations} | load
        return Scenario(f"transact-{name}", title, "transact", database, load,
                        (cpu_per("transaction", ratio),
                         Metric("latency_p99_usec", "latency, 99%", "ms", 1 / 1000)))

    return [
        Scenario("echo", "echo, one at a time", "echo", database, {"operations": operations},
                 (cpu_per("echo"),)),
        Scenario("echo-pipelined", "echo, 32 in flight", "echo", database,
                 {"operations": operations, "window": 32}, (cpu_per("echo"),)),
        scenario("pipelined", "small transactions, 32 in flight", 1 / 2, window=32),
        scenario("pipelined-16", "small transactions, 16 connections x 32", 1 / 2, window=32,
                 clients=16),
        scenario("single", "small transactions, one at a time", 0.8),
        scenario("single-16", "small transactions, 16 connections, one at a time each", 0.8,
                 clients=16),
        scenario("wait-name", "with a wait on a name in front", 1 / 20, wait="name", window=32,
                 operations=operations // 10),
        scenario("wait-uuid", "with a wait on a row's UUID in front", None, wait="uuid", window=32),
    ]


def bulk_insert(full):
    return [Scenario("insert", "bulk insert, 1,000 rows a transaction", "insert",
                     Database("sb", 10000), {"operations": 60 if full else 20},
                     (Metric("cpu_usec_per_op", "CPU per row", "us", 1 / 1000, ratio=1 / 2),
                      peak()))]


def fan_out(full):
    database = Database("sb", 2000)
    found = []
    for clients in (100, 500) if full else (100,):
        for version, ratio in ((1, 1 / 3), (2, 1 / 2), (3, 1 / 2)):
            method = ("monitor", "monitor_cond", "monitor_cond_since")[version - 1]
            found.append(Scenario(
                f"fanout-v{version}-{clients}", f"{clients} clients with {method}", "fanout",
                database, {"clients": clients, "version": version,
                           "operations": (600 if clients == 100 else 300) if full else 200},
                (Metric("cpu_usec_per_row", "CPU per row delivered", "us", ratio=ratio),
                 Metric("delivery_p99_usec", "delivery, 99%", "ms", 1 / 1000))))
    return found


def conditions(full):
    database = Database("sb", 20000, 2500)
    ratios = {10: None, 100: 1 / 4, 500: 1 / 20}
    return [Scenario(f"conditions-{clients}", f"{clients} clients with conditions of their own",
                     "fanout", database,
                     {"clients": clients, "wanted_by": 2, "operations": 1500 if full else 300},
                     (cpu_per("transaction", ratios[clients]),))
            for clients in ((10, 100, 500) if full else (10, 100))]


def dumps(full):
    def scenario(rows, clients, cpu_ratio, peak_ratio):
        return Scenario(f"dump-{rows // 1000}k", f"{clients} clients ask for {rows:,} rows at once",
                        "dump", Database("sb", rows), {"clients": clients},
                        (cpu_total(cpu_ratio), Metric("cpu_nsec_per_byte", "CPU per byte", "ns"),
                         peak(peak_ratio), longest_echo()))
    if not full:
        return [scenario(20000, 50, 1.0, None)]
    return [scenario(20000, 50, 1.0, None), scenario(200000, 50, None, None),
            scenario(650000, 10, 1 / 4, 1 / 3)]


def housekeeping(full):
    found = []
    for rows in (50000, 500000) if full else (50000,):
        database = Database("sb", rows)
        found.append(Scenario(
            f"startup-{rows // 1000}k", f"start-up with {rows:,} rows", "ready", database,
            {}, (Metric("wall_sec", "until it answers", "s", ratio=0.4), cpu_total(),
                 Metric("rss_kib", "memory after it", "MiB", 1 / 1024, 1 / 2), peak())))
        for writes in (False, True):
            found.append(Scenario(
                f"compact-{rows // 1000}k" + ("-writes" if writes else ""),
                f"compaction of {rows:,} rows" + (" with writes" if writes else ""), "compact",
                database, {"writes": "true"} if writes else {},
                (longest_echo(20), cpu_total(), Metric("wall_sec", "time", "s"), peak())))
    found.append(Scenario(
        "idle", "idle connections", "idle", Database("sb", 2000), {"clients": 1000},
        (Metric("kib_per_connection", "memory of each", "KiB"), cpu_per("connection"))))
    return found


def clusters(full):
    database = Database("nb", 12000)
    commit = (cpu_per("commit, three servers", 0.15), Metric("wall_usec_per_op", "time per commit", "us", ratio=1 / 8),
              Metric("latency_p50_usec", "latency, 50%", "ms", 1 / 1000),
              Metric("latency_p99_usec", "latency, 99%", "ms", 1 / 1000))
    single = (cpu_per("commit, three servers"), Metric("latency_p50_usec", "latency, 50%", "ms", 1 / 1000, ratio=0.8),
              Metric("latency_p99_usec", "latency, 99%", "ms", 1 / 1000))
    found = []
    for through in ("leader", "follower"):
        for clients, window in ((1, 1), (1, 16), (1, 32), (1, 64), (16, 1), (16, 4)):
            found.append(Scenario(
                f"cluster-{through}-{clients}x{window}",
                f"cluster, {clients} connections to the {through}, {window} in flight each", "transact", database,
                {"operations": 10000 if full else 3000, "clients": clients, "window": window},
                single if clients * window == 1 else commit, through))
    found.append(Scenario(
        "cluster-stock-follower", "cluster, 4 connections through a stock follower, 4 others writing to the leader", "",
        database, {"operations": 2000 if full else 500, "clients": 4},
        (Metric("wall_usec_per_op", "time per commit", "us", ratio=1),
         Metric("latency_p99_usec", "latency, 99%", "ms", 1 / 1000),
         Metric("others_per_sec", "commits of the others", "/s")), "third", cluster_scenarios.beside_others))
    rows = 500000 if full else 50000
    found.append(Scenario(
        "cluster-compact", f"cluster, compaction of {rows:,} rows with writes", "", Database("sb", rows), {},
        (longest_echo(20), Metric("elections", "elections", ""), Metric("wall_sec", "time", "s")), "leader",
        cluster_scenarios.compact))
    found.append(Scenario(
        "cluster-join", f"cluster, a server with {rows:,} rows joins under load", "", Database("sb", rows), {"seconds": 15 if full else 5},
        (Metric("join_sec", "time to join", "s"), Metric("cpu_sec", "CPU, all servers", "s"), longest_echo(20),
         Metric("elections", "elections", "")), "leader",
        cluster_scenarios.join))
    found.append(Scenario(
        "cluster-failover", "cluster, the leader is killed: time to the next commit", "", database, {},
        (Metric("failover_sec", "time", "s", ratio=1, limit=1.5),), "leader", cluster_scenarios.failover))
    return found


def all_scenarios(scale):
    full = scale == "full"
    return (small_transactions(full) + bulk_insert(full) + fan_out(full) + conditions(full)
            + dumps(full) + housekeeping(full) + clusters(full))
