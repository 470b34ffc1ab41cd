#!/usr/bin/python3
"""A contact that shares no code with the project (slixmpp): subscribes to JIDs and shows what comes of it.

Commands on standard input, one a line: subscribe JID, unsubscribe JID, allow JID, deny JID, info JID [NODE],
items JID, receipt JID, say JID WORDS, mood WORD (or - for none), nick WORD (the same), flood COUNT NODE ELEMENT (publish
that so often, 100 times a second), read JID NODE, follow JID NODE, unfollow JID NODE, avatar JID ID,
expose WORD (a tune at a node that is open), group JID NAME (in our roster), configuration JID NODE (who may read it), quit. What comes is one JSON object a line on standard
output: presence with its caps, answers, receipts, chat, what others publish of themselves. Requests to see us wait for `allow` or `deny`. 77: slixmpp is missing.
"""

import argparse
import asyncio
import functools
import hashlib
import json
import ssl
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
EVENT = "{http://jabber.org/protocol/pubsub#event}"
# What it wants to be told of (XEP-0163 §3).
INTERESTS = ["http://jabber.org/protocol/" + name for name in
             ("tune", "status", "activity", "mood", "geoloc", "physloc")]
INTERESTS += ["urn:xmpp:viewing:0", "urn:xmpp:avatar:metadata"]
# What slixmpp's own plug-ins read of it: their event, their element, its fields.
PLUGGED_IN = [
    ("user_tune", "tune", ("artist", "title", "source", "track", "length")),
    ("user_mood", "mood", ("value", "text")),
    ("user_activity", "activity", ("value", "text")),
    ("user_location", "geoloc", ("lat", "lon", "accuracy", "locality", "uri")),
    ("avatar_metadata", "avatar_metadata", ("info",)),
]


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Contact(slixmpp.ClientXMPP):
    def __init__(self, jid, password, program):
        super().__init__(jid, password, plugin_config={
            "feature_mechanisms": {"unencrypted_plain": True}})
        for plugin in ("xep_0030", "xep_0080", "xep_0084", "xep_0107", "xep_0108", "xep_0115", "xep_0118",
                       "xep_0163", "xep_0172"):
            self.register_plugin(plugin)
        self.program = program
        self.auto_authorize = None
        self.ssl_context.check_hostname = False  # a test's own certificate
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_auth", lambda _: self.give_up("authentication failed"))
        self.register_handler(Callback("all presence", MatchXPath("{jabber:client}presence"), self.came))
        self.register_handler(Callback("receipts", MatchXPath("{jabber:client}message/" + RECEIVED),
                                       self.received))
        self.register_handler(Callback("events", MatchXPath("{jabber:client}message/" + EVENT + "event"),
                                       self.notified))
        self.add_event_handler("message", self.heard)
        for event, name, fields in PLUGGED_IN:
            self.add_event_handler(event + "_publish", functools.partial(self.reads, name, fields))

    def give_up(self, reason):
        say("failed", reason=reason)
        sys.exit(1)

    async def started(self, _):
        if not self.program:  # slixmpp makes itself a bot, and rooms do not answer those.
            await self["xep_0030"].set_identities(identities={("client", "pc", None, "contact")})
        self["xep_0163"].add_interest(INTERESTS)
        await self["xep_0115"].update_caps(broadcast=False)
        await self.get_roster()
        self.send_presence()
        say("online")

    def came(self, presence):
        caps = presence.xml.find(CAPS)
        status = presence.xml.find(STATUS)
        say("presence", type=presence.xml.get("type", "available"), sender=presence.xml.get("from"),
            ver=None if caps is None else caps.get("ver"), node=None if caps is None else caps.get("node"),
            status=None if status is None else status.text, xml=str(presence))

    def notified(self, message):
        for items in message.xml.iter(EVENT + "items"):
            for item in items.iter(EVENT + "item"):
                payload = "".join(slixmpp.xmlstream.tostring(child) for child in item)
                say("published", sender=str(message["from"]), node=items.get("node"), id=item.get("id"),
                    payload=payload, empty=all(len(child) == 0 for child in item))

    def reads(self, name, fields, message):
        payload = message["pubsub_event"]["items"]["item"][name]
        if "info" in fields:
            fields = ("id", "type", "bytes", "width", "height")
            # Asked for a child that is not there, slixmpp makes one.
            payload = payload["info"] if len(payload.xml) else dict.fromkeys(fields, "")
        found = {field: payload[field] for field in fields}
        say(name, sender=str(message["from"]), **found)

    def heard(self, message):
        if message["body"]:
            say("chat", sender=str(message["from"]), text=message["body"])

    def received(self, message):
        say("receipt", sender=str(message["from"]), id=message.xml.find(RECEIVED).get("id"))

    async def obey(self, command, jid, node=None, *more):
        if command == "say":
            self.send_message(mto=jid, mbody=" ".join((node, *more)), mtype="chat")
        elif command == "mood":
            await (self["xep_0107"].stop() if jid == "-" else self["xep_0107"].publish_mood(jid))
        elif command == "expose":
            options = self["xep_0004"].make_form(ftype="submit")
            options.add_field(var="FORM_TYPE", ftype="hidden",
                              value="http://jabber.org/protocol/pubsub#publish-options")
            options.add_field(var="pubsub#access_model", value="open")
            await self["xep_0118"].publish_tune(title=jid, options=options)
            say(command, found=jid)
        elif command == "nick":
            await (self["xep_0172"].stop() if jid == "-" else self["xep_0172"].publish_nick(jid))
        elif command == "flood":
            payload = slixmpp.xmlstream.ET.fromstring(" ".join(more))
            for number in range(int(jid)):
                publish = self.make_iq_set()
                publish["pubsub"]["publish"]["node"] = node
                item = slixmpp.plugins.xep_0060.stanza.Item()
                item["id"] = "current"
                item["payload"] = payload
                publish["pubsub"]["publish"].append(item)
                publish.send(callback=lambda _: None, timeout=None)
                await asyncio.sleep(0.01)
            say("flooded", node=node)
        elif command in ("subscribe", "unsubscribe"):
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
                elif command == "items":
                    answer = await self["xep_0030"].get_items(jid=jid)
                    found = sorted(item[1] or item[0] for item in answer["disco_items"]["items"])
                elif command == "avatar":
                    answer = await self["xep_0084"].retrieve_avatar(jid, node)
                    image = answer["pubsub"]["items"]["item"]["avatar_data"]["value"]
                    found = hashlib.sha1(image).hexdigest()
                elif command == "group":
                    await self.update_roster(jid, groups=[node])
                    found = node
                elif command == "configuration":
                    answer = await self["xep_0060"].get_node_config(jid, node)
                    values = answer["pubsub_owner"]["configure"]["form"].get_values()
                    found = [values["pubsub#access_model"], values["pubsub#roster_groups_allowed"]]
                elif command == "read":
                    answer = await self["xep_0060"].get_items(jid, node)
                    found = [str(item) for item in answer["pubsub"]["items"]]
                else:
                    ask = self["xep_0060"].subscribe if command == "follow" else self["xep_0060"].unsubscribe
                    await ask(jid, node)
                    found = node
                say(command, sender=jid, found=found)
            except slixmpp.exceptions.IqError as error:
                say(command, sender=jid, error=error.condition, xml=str(error.iq["error"]))


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
    parser.add_argument("--program", action="store_true", help="say that no person is behind it")
    parser.add_argument("--tls", choices=("trust-all", "off"), default="off")
    options = parser.parse_args()
    host, port = options.server.rsplit(":", 1)
    contact = Contact(options.jid, options.password, options.program)
    contact.connect((host, int(port)), disable_starttls=options.tls == "off")
    contact.loop.run_until_complete(commands(contact))


if __name__ == "__main__":
    main()
