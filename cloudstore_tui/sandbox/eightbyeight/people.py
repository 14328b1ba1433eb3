"""The agents, queues and customers of the sandbox's company."""

from dataclasses import dataclass
from functools import cache

TENANT = "acmecorp01"
CUSTOMER_ID = "0012J00002KTQJYQA5"
PBX = "acmepbx"


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who takes calls."""

    name: str
    id: str
    """As tags write it; some tags put `ag` before it."""
    user_id: str
    extension: int

    @property
    def email(self) -> str:
        """A mail address that leads nowhere."""
        return f"{'.'.join(part for part in self.name.lower().replace(',', ' ').split())}@acme.example".replace("'", "")


@dataclass(frozen=True, slots=True)
class Queue:
    """Where calls wait."""

    name: str
    number: int
    channel: str
    line: str
    """The number that customers dial."""


@dataclass(frozen=True, slots=True)
class Customer:
    """The other end of a call."""

    name: str
    phone: str


_AGENTS = (
    *("Abena Osei", "Ada Lindqvist", "Aiko Tanaka", "Alejandro Ruiz", "Amara Nwosu", "Anaïs Laurent", "Anil Mehta"),
    *("Bartosz Nowak", "Bronwyn Hughes", "Carmen Delgado", "Chidi Okafor", "Dilnoza Karimova", "Eero Virtanen"),
    *("Fatima Zahra", "Finn O'Brien", "Giulia Conti", "Grace Kimani", "Hamza Siddiqui", "Beatriz Carvalho"),
    *("Jonas Weber", "Kavya Iyer", "Khang Glynn", "Lena Fischer", "Liam Doyle", "Lucía Fernández", "M,DENNIS"),
    *("Mei-Ling Chen", "Milan Horvat", "Nadia Petrova", "Ngozi Eze", "Noor van Dijk", "Olu Adeyemi", "Oskar Lund"),
    *("Paola Rossi", "Priya Raman", "Quinn Harper", "Rafael Souza", "Rosa Marín", "Saoirse Byrne", "Sipho Dlamini"),
    *("Sven Eriksson", "Tariq Aziz", "Tomás Vidal", "Uma Krishnan", "Vera Novak", "Wanjiru Maina", "Yusuf Demir"),
    "Zofia Wójcik",
)

# Sorted by name, because the position stands for the name in sorted listings.
AGENTS = tuple(
    Agent(
        name,
        f"ag{index * 37 + 11}TqWz{index:02d}",
        f"TMZIdbKz{index * 7919 % 100_000:05d}_04IC9L{index:02d}",
        2001 + index,
    )
    for index, name in enumerate(sorted(_AGENTS))
)

QUEUES = tuple(
    Queue(name, 101 + index, channel, f"+1669555{9100 + index}")
    for index, (name, channel) in enumerate(
        [
            ("Billing", "billing-main"),
            ("Bookings", "bookings"),
            ("Collections", "billing-late"),
            ("Complaints", "care"),
            ("Level 1", "support-main"),
            ("Level 2", "support-main"),
            ("Level 3", "support-escalation"),
            ("Onboarding", "sales-new"),
            ("Renewals", "sales-renewal"),
            ("Sales  EMEA", "sales-emea"),
        ]
    )
)

CUSTOMERS = 4_000
"""How many customers there are."""

_FIRST = (
    *("AARON", "BELLA", "CARLOS", "DENNIS", "ELENA", "FRANK", "GRETA", "HUGO", "IRENE", "JAMAL", "KAREN", "LOUIS"),
    *("MARIA", "NEIL", "OLGA", "PEDRO", "QUENTIN", "RUTH", "SAMUEL", "TERESA"),
)
_LAST = (
    *("ABBOTT", "BAKER", "CHAVEZ", "DIAZ", "EVANS", "FLORES", "GIBSON", "HUANG", "IQBAL", "JENSEN", "KAPOOR", "LEWIS"),
    *("MORALES", "NGUYEN", "OWENS", "PATEL", "QUIROZ", "RAMSEY", "SUAREZ", "TRAN"),
)
_STATES = ("CA", "NY", "TX", "WA", "IL", "FL", "AZ", "GA", "OH", "MA")


@cache
def customer(index: int) -> Customer:
    """One customer; every eighth is only known as the network shows an unknown mobile."""
    phone = f"+1669555{2000 + index:04d}"
    if index % 8 == 7:
        return Customer(f"Cell Phone   {_STATES[index // 8 % len(_STATES)]}", phone)
    first, last = _FIRST[index % len(_FIRST)], _LAST[index // len(_FIRST) % len(_LAST)]
    return Customer(f"{last},{first}", phone)
