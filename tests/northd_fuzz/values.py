"""What columns of the northbound may hold: mostly sense, from pools small enough that things meet."""

SWITCHES = ["sw0", "sw1", "sw2", "public"]
ROUTERS = ["lr0", "lr1", "gw0"]
CHASSIS = ["hv1", "hv2", "gw1"]
METERS = ["meter0", "meter1"]
CHAINS = ["chain0", "chain1"]
ROUTE_TABLES = ["rt0", "rt1"]
PROTOCOLS = ["tcp", "udp", "sctp"]
MATCHES = [
    "ip4", "ip6", "tcp.dst == 80", "udp", "ip4.src == 10.0.0.0/24", 'inport == "sw0p0"', 'outport == "sw0p1"',
    "ip4.dst == $as0", "inport == @pg0", "outport == @pg0 && ip4", "icmp4", "arp", "1",
]


class Values:
    """Random values; `rows(table)` gives the UUIDs of the northbound's rows."""

    def __init__(self, rng, rows, names):
        self.rng = rng
        self.rows = rows
        self.names = names  # table -> names of its rows.
        self._last_network = 0
        self._led = set()  # Router ports that some switch's has been led to.

    # ---- Atoms ----

    def bad(self, chance=0.03):
        """Whether to put in something wrong."""
        return self.rng.random() < chance

    def maybe(self, chance=0.5):
        return self.rng.random() < chance

    def pick(self, *choices):
        return self.rng.choice(choices)

    def ip4(self):
        return self.pick("10.0.", "10.0.", "172.16.", "192.168.") + f"{self.rng.randint(0, 3)}.{self.rng.randint(1, 12)}"

    def ip6(self):
        return f"fd0{self.rng.randint(0, 3)}::{self.rng.randint(1, 12):x}"

    def ip(self):
        if self.bad():
            return self.pick("", "10.0.0", "nonsense", "fd00::1::2", "0.0.0.0")
        return self.ip4() if self.maybe(0.7) else self.ip6()

    def network(self, host=False):
        """An address with the prefix of its network, or the network."""
        if self.bad():
            return self.pick("", "10.0.0.1/33", "10.0.0.0/255.0.255.0", "fd00::/129", "x/24")
        if self.maybe(0.7):
            ip = self.ip4()
            return f"{ip}/24" if host or self.maybe() else f"{ip.rsplit('.', 1)[0]}.0/{self.pick(16, 24, 25)}"
        ip = self.ip6()
        return f"{ip}/64" if host or self.maybe() else f"{ip.split('::')[0]}::/64"

    def own_networks(self):
        """Networks of a router's port, other than all others': which of two is taken is up to chance."""
        self._last_network += 1
        number = 20 + self._last_network % 200
        networks = [f"10.0.{number}.{self.rng.randint(1, 5)}/24", f"172.17.{number}.1/24", f"fd{number:02x}::1/64"]
        chosen = self.rng.sample(networks, self.rng.randint(0, 2))
        if self.bad():
            chosen.append(self.pick("10.0.0", "10.0.0.1/33", "x"))
        return ["set", sorted(chosen)]

    def prefix(self):
        return self.pick("0.0.0.0/0", "::/0") if self.maybe(0.3) else self.pick(self.network(), self.ip())

    def mac(self):
        if self.bad():
            return self.pick("", "00:00", "0:0:0:0:0:7", "zz:00:00:00:00:00", "00-00-00-00-00-01")
        return f"00:00:00:00:{self.rng.randint(0, 3):02x}:{self.rng.randint(1, 15):02x}"

    def port(self):
        return str(self.pick(80, 443, 8080, 1, 65535))

    def name(self, table):
        known = self.names(table)
        if not known or self.bad(0.05):
            return "nobody"
        return self.rng.choice(known)

    def known(self, table):
        """A name that a row has, wherever another would kill the reference."""
        return self.rng.choice(self.names(table) or ["nobody"])

    def lonely_router_port(self):
        """The name of a router's port that no switch's leads to: which of two is its peer is up to chance."""
        lonely = [name for name in self.names("Logical_Router_Port") if "-" not in name and name not in self._led]
        name = self.rng.choice(lonely or ["nobody"])
        self._led.add(name)
        return name

    def ref(self, table):
        known = self.rows(table)
        return ["uuid", self.rng.choice(known)] if known else None

    def refs(self, table, most=2):
        known = self.rows(table)
        return ["set", [["uuid", uuid] for uuid in self.rng.sample(known, min(len(known), self.rng.randint(0, most)))]]

    def set_of(self, make, most=2, least=0):
        return ["set", sorted({make() for _ in range(self.rng.randint(least, most))})]

    def optional(self, make, chance=0.5):
        value = make() if self.maybe(chance) else None
        return ["set", []] if value is None else value

    def map_of(self, choices, chance=0.2):
        """Some of {key: make()}."""
        return ["map", sorted([key, str(make())] for key, make in choices.items() if self.maybe(chance))]

    def boolean(self):
        return "nonsense" if self.bad() else self.pick("true", "false", "true")

    def number(self, *choices):
        return "many" if self.bad() else self.pick(*choices)

    # ---- Larger things ----

    def addresses(self):
        kind = self.rng.random()
        if kind < 0.1:
            return "unknown"
        if kind < 0.18:
            return self.pick("dynamic", f"{self.mac()} dynamic", f"dynamic {self.ip4()}")
        if kind < 0.22:
            return "router"
        return " ".join([self.mac(), *(self.ip() for _ in range(self.rng.randint(0, 2)))])

    def endpoint(self, v6, port=True):
        ip = self.ip6() if v6 else self.ip4()
        if not port:
            return ip
        return f"[{ip}]:{self.port()}" if v6 else f"{ip}:{self.port()}"

    def backend(self):
        """An address that several load balancers may lead to."""
        return f"10.0.0.{self.rng.randint(1, 4)}" if self.maybe(0.8) else f"[fd00::{self.rng.randint(1, 2)}]"

    def monitored(self):
        """Where a backend is watched: a port, and the address that the watching is done from."""
        if self.bad():
            return self.pick("", "sw0p0", "sw0p0:x", ":10.0.0.1")
        return f"{self.name('Logical_Switch_Port')}:{self.ip4() if self.maybe(0.8) else f'[{self.ip6()}]'}"

    def vip(self):
        if self.maybe(0.05):
            return self.pick(("^vip:80", "^backends"), ("^vip", "10.0.0.1"), (f"{self.ip4()}:80", "^backends,10.0.0.1:80"))
        if self.maybe(0.4):  # One that others have, too.
            return f"10.9.0.{self.rng.randint(1, 3)}:80", ",".join(
                f"10.0.0.{self.rng.randint(1, 4)}:{self.pick('80', '80', '8080')}" for _ in range(self.rng.randint(0, 3)))
        if self.bad():
            return self.pick("10.0.0.1:", "nonsense", "10.0.0.1:99999", "[fd00::1]", ":80"), self.ip4()
        v6, port = self.maybe(0.25), self.maybe(0.8)
        backends = [self.endpoint(v6, port) for _ in range(self.rng.randint(0, 3))]
        if self.bad():
            backends.append(self.pick("", "x", self.endpoint(not v6, port)))
        return self.endpoint(v6, port), ",".join(backends)

    def vips(self):
        return ["map", sorted(map(list, dict(self.vip() for _ in range(self.rng.randint(0, 3))).items()))]

    def match(self):
        match = self.rng.choice(MATCHES)
        return f"{match} && ip4.ttl == {self.rng.randint(1, 3)}" if self.maybe(0.2) else match
