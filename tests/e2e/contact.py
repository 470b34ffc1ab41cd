#!/usr/bin/python3
"""A contact that shares no code with the project (slixmpp): subscribes to JIDs and shows what comes of it.

Commands on standard input, one a line: subscribe JID, unsubscribe JID, allow JID, deny JID, info JID [NODE],
items JID, receipt JID, quit. What comes is one JSON object a line on standard output: presence with its caps,
answers, receipts. Requests to see us wait for `allow` or `deny`. 77: slixmpp is missing.
"""

import argparse
import asyncio
import json
import sys

try:
    import slixmpp
    from slixmpp.xmlstream.handler import Callback
    from slixmpp.xmlstream.matcher import MatchXPath
except ImportError as missing:
    print(json.dumps({"event": "unavailable", "reason": str(missing)}))
    sys.exit(77)

CAPS = "{http://jabber.org/protocol/caps}c"
STATUS = "{jabber:client}status"
RECEIVED = "{urn:xmpp:receipts}received"


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Contact(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password, plugin_config={
            "feature_mechanisms": {"unencrypted_plain": True}})
        self.register_plugin("xep_0030")
        self.auto_authorize = None
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_auth", lambda _: self.give_up("authentication failed"))
        self.register_handler(Callback("all presence", MatchXPath("{jabber:client}presence"), self.came))
        self.register_handler(Callback("receipts", MatchXPath("{jabber:client}message/" + RECEIVED),
                                       self.received))

    def give_up(self, reason):
        say("failed", reason=reason)
        sys.exit(1)

    async def started(self, _):
        await self.get_roster()
        self.send_presence()
        say("online")

    def came(self, presence):
        caps = presence.xml.find(CAPS)
        status = presence.xml.find(STATUS)
        say("presence", type=presence.xml.get("type", "available"), sender=presence.xml.get("from"),
            ver=None if caps is None else caps.get("ver"), node=None if caps is None else caps.get("node"),
            status=None if status is None else status.text)

    def received(self, message):
        say("receipt", sender=str(message["from"]), id=message.xml.find(RECEIVED).get("id"))

    async def obey(self, command, jid, node=None):
        if command in ("subscribe", "unsubscribe"):
            self.send_presence(pto=jid, ptype=command)
        elif command in ("allow", "deny"):
            self.send_presence(pto=jid, ptype="subscribed" if command == "allow" else "unsubscribed")
        elif command == "receipt":
            message = self.make_message(mto=jid, mbody="hello?", mtype="chat")
            message["id"] = "asked"
            message.xml.append(slixmpp.xmlstream.ET.Element("{urn:xmpp:receipts}request"))
            message.send()
        else:
            try:
                if command == "info":
                    answer = await self["xep_0030"].get_info(jid=jid, node=node, cached=False)
                    found = sorted(answer["disco_info"]["features"])
                else:
                    answer = await self["xep_0030"].get_items(jid=jid)
                    found = sorted(item[0] for item in answer["disco_items"]["items"])
                say(command, sender=jid, found=found)
            except slixmpp.exceptions.IqError as error:
                say(command, sender=jid, error=error.condition)


async def commands(contact):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while True:
        words = (await lines.readline()).decode().split()
        if not words or words[0] == "quit":
            return
        await contact.obey(*words)


def main():
    parser = argparse.ArgumentParser()
    for option in ("--server", "--jid", "--password"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    host, port = options.server.rsplit(":", 1)
    contact = Contact(options.jid, options.password)
    contact.connect((host, int(port)), disable_starttls=True)
    contact.loop.run_until_complete(commands(contact))


if __name__ == "__main__":
    main()
