"""Two servers given the same steps one by one, and everything that each answers."""

import json
import time

from diff.canonical import Names, chosen_by_server, is_uuid, ordered
from diff.exemptions import excused
from diff.probes import Prober
from diff.report import leaf_differences
from diff.world import FIRST_STRANGER, canonical_uuid, is_canonical
from harness import jsonrpc

LATE_SECONDS = 5  # How long one server may take to say what the other has said.

MAX_WOKEN = 20  # How many barriers may fall between transactions that wake each other up.

CLOSED = {"closed": True}  # Stands for the end of a session among its messages.


def is_stranger(text):
    return is_uuid(text) and not is_canonical(text)


class Side:
    """One server, and the sessions that the steps use."""

    def __init__(self, server, sessions):
        self.server = server
        self.names = Names()
        self.connections = [server.connect() for _ in range(sessions)]
        self._barriers = 0
        # Where answers take longer than it takes to read what was sent.
        self._settle = getattr(server, "settle", lambda: None)

    def send(self, session, message):
        try:
            self.connections[session].send(self.names.to_wire(message))
        except jsonrpc.Closed:
            pass  # Whatever it said before closing is still to be read.

    def send_barrier(self, session):
        self._settle()
        self._barriers += 1
        self.send(session, {"id": ["barrier", self._barriers], "method": "echo", "params": []})
        return ["barrier", self._barriers]

    def collect(self, session, barrier, at_least):
        """Messages up to the barrier's reply, and on until there are `at_least` or it is too late."""
        connection = self.connections[session]
        messages = []
        passed = False
        deadline = time.monotonic() + 30
        while not passed or len(messages) < at_least:
            try:
                message = connection.receive(max(0, deadline - time.monotonic()))
            except jsonrpc.Closed:
                messages.append(CLOSED)
                break
            except jsonrpc.Timeout:
                if passed:
                    break
                messages.append({"silent": True})
                break
            if message.get("id") == barrier:
                passed = True
                deadline = time.monotonic() + LATE_SECONDS
            elif message.get("method") != "echo":
                messages.append(message)
        return messages

    def ask(self, request):
        """The canonical answer to a request outside the steps."""
        with self.server.connect() as connection:
            connection.send(self.names.to_wire(request))
            return self.names.canonical(connection.receive())

    def reopen(self, session):
        self.connections[session].close()
        try:
            self.connections[session] = self.server.connect()
        except OSError:
            self.server.process.wait(30)  # It died; whoever asked for the step looks.

    def close(self):
        for connection in self.connections:
            connection.close()


class Answer:
    """What a step brought.

    messages     per server, per session, its canonical messages
    closed       sessions that a server closed
    differences  [(session, first server's messages, second's)], as text, where they differ without
                 excuse
    """

    def __init__(self, messages, closed):
        self.messages = messages
        self.closed = closed
        self.differences = []
        for session, (first, second) in enumerate(zip(*self.messages)):
            first, second = ordered(first), ordered(second)
            if first != second:
                self.differences.append((session, first, second))


class Lockstep:
    def __init__(self, first, second, sessions):
        self.sides = [Side(first, sessions), Side(second, sessions)]
        self.prober = Prober(self.sides)
        self._strangers = 0
        self._unnamed = {}  # (session, request id) -> operation index -> name
        self._transactions = {}  # (session, request id) -> message

    def step(self, session, message):
        """Has both servers answer `message`, sent by `session`. Reopens what they close."""
        sessions = range(len(self.sides[0].connections))
        raw = [[[] for _ in sessions], [[] for _ in sessions]]
        barriers = []
        for side in self.sides:
            side.send(session, message)
            barriers.append(side.send_barrier(session))
        self._collect(session, barriers, raw)
        self._collect_all([other for other in sessions if other != session], raw)
        closed = self._reopen_closed(raw)
        if closed:
            # What their end set free (a lock, say) reaches the others just after it.
            self._collect_all([other for other in sessions if other not in closed], raw)
        self._name_inserts(session, message, raw)
        answer = self._answer(raw, closed)
        if answer.differences and self._collect_rest(sessions, raw):
            self._name_inserts(session, message, raw)
            answer = self._answer(raw, closed)
        if answer.differences and self._name_strangers(answer):
            answer = self._answer(raw, closed)
        answer.differences = [found for found in answer.differences if not self._excused(*found, raw)]
        return answer

    def _answer(self, raw, closed):
        messages = [
            [[side.names.canonical(m) for m in messages] for messages in raw_side]
            for side, raw_side in zip(self.sides, raw)
        ]
        return Answer(messages, closed)

    def _excused(self, session, first, second, raw):
        ended = [number for number, pair in enumerate(zip(*raw)) if all(CLOSED in side for side in pair)]

        def probe(request_id, index, results):
            message = self._transactions.get((session, str(request_id)))
            return message and self.prober.excuse(message, index, results)

        return excused(first, second, bool(ended), session in ended, probe, hasattr(self.sides[0].server, "settle"))

    def _name_strangers(self, answer):
        """Names UUIDs in the same place that nobody knows: stock makes one up for a named-uuid
        that no insert of the transaction bears."""
        found = False
        for _, first, second in answer.differences:
            if len(first) != len(second):
                continue
            for one, other in zip(first, second):
                for _, a, b in leaf_differences(json.loads(one), json.loads(other)):
                    if is_stranger(a) and is_stranger(b):
                        self._strangers += 1
                        for side, uuid in zip(self.sides, (a, b)):
                            side.names.call(uuid, canonical_uuid(FIRST_STRANGER + self._strangers))
                        found = True
        return found

    def _reopen_closed(self, raw):
        closed = [
            session
            for session in range(len(raw[0]))
            if CLOSED in raw[0][session] or CLOSED in raw[1][session]
        ]
        for session in closed:
            for side in self.sides:
                side.reopen(session)
        for requests in (self._transactions, self._unnamed):
            for request in [request for request in requests if request[0] in closed]:
                del requests[request]
        return closed

    def _collect_all(self, sessions, raw):
        barriers = [[side.send_barrier(session) for session in sessions] for side in self.sides]
        for position, session in enumerate(sessions):
            self._collect(session, [barriers[0][position], barriers[1][position]], raw)

    def _collect_rest(self, sessions, raw):
        """Whether there was more. Of transactions that wake each other up a server may answer a barrier
        between one and the next; as stock tells of several in one update, counting messages does
        not show that one is missing."""
        def count():  # A connection that is closed says so each time.
            return sum(message != CLOSED for side in raw for messages in side for message in messages)

        found = False
        for _ in range(MAX_WOKEN):
            before = count()
            self._collect_all(sessions, raw)
            if count() == before:
                break
            found = True
        return found

    def _collect(self, session, barriers, raw):
        first, second = self.sides
        messages = first.collect(session, barriers[0], 0)
        raw[0][session] += messages
        raw[1][session] += second.collect(session, barriers[1], len(messages))

    def _name_inserts(self, session, message, raw):
        """Tells the sides how the rows are called whose UUIDs they chose themselves."""
        refused = any("duplicate request ID" in str(reply.get("error")) for reply in raw[0][session])
        if message.get("method") == "transact" and not refused:
            request = (session, str(message.get("id")))
            self._transactions[request] = message
            self._unnamed[request] = chosen_by_server(message)
        for side, raw_side in zip(self.sides, raw):
            for number, messages in enumerate(raw_side):
                for reply in messages:
                    names = self._unnamed.get((number, str(reply.get("id"))))
                    if names:
                        side.names.learn_inserts(names, reply)

    def close(self):
        for side in self.sides:
            side.close()
