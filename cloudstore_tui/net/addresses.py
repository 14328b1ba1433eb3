"""Which network addresses bytes may come from.

A host name says nothing: it can lead to a printer, to this machine, or to the metadata service of a cloud. So the
address itself is looked at when a connection is made.
"""

import ipaddress
import socket

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_allowed(address: str, *, local: bool) -> bool:
    """Whether a connection to an address may be used: public ones, and this machine's own if `local`."""
    try:
        parsed = _embedded(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if parsed.is_loopback:
        return local
    return parsed.is_global and not parsed.is_multicast


def literal_address(host: str) -> str:
    """The address that a host of a URL is, in any of the ways to write one (`127.1`, `0x7f.1`); empty for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return ""


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, so that `::ffff:127.0.0.1` hides nothing."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
