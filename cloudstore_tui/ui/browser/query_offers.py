"""What is offered below the line of a query, and what taking it does to the line."""

from collections.abc import Sequence

from cloudstore_tui.state.searches import SIGN, placeholders_of, use
from cloudstore_tui.ui.browser.query_context import QueryContext
from cloudstore_tui.ui.browser.query_input import LONGEST, QueryInput
from cloudstore_tui.ui.browser.query_list import QueryList
from cloudstore_tui.ui.browser.query_recall import Recall, matching
from cloudstore_tui.ui.browser.query_suggestions import Suggestion, suggest


class QueryOffers:
    """Words that could follow, or filters of the past."""

    def __init__(self, line: QueryInput, shown: QueryList, context: QueryContext) -> None:
        """Offer in `shown` what is known of the context."""
        self._line = line
        self._list = shown
        self._context = context
        self._recall = Recall()
        self._is_past = False

    @property
    def is_open(self) -> bool:
        """Whether something is offered."""
        return bool(self._list.offers)

    @property
    def is_past(self) -> bool:
        """Whether filters of the past are offered."""
        return self._is_past and self.is_open

    def close(self) -> None:
        """Offer nothing."""
        self._is_past = False
        self._show(())

    def typed(self) -> None:
        """Offer what fits to what was just typed."""
        self._recall.forget()
        if self._is_past:
            self._offer_past()
        elif self._line.has_focus and self._line.value and len(self._line.value) <= LONGEST:
            self.ask()
        else:
            self.close()

    def ask(self) -> None:
        """Offer all that could stand at the cursor."""
        self._show(suggest(self._line.value, self._line.cursor_position, self._context.known))

    def take(self) -> None:
        """Put the chosen one into the line.

        Raises:
            StorageError: it is a saved search, and cannot be read.
        """
        chosen, was_past = self._list.chosen, self._is_past
        self.close()
        if chosen is None:
            return
        self._line.put(*chosen.put_into(self._line.value))
        if chosen.text.startswith(SIGN):
            self.expand()
        elif not was_past:
            self.ask()

    def expand(self) -> bool:
        """Put a saved search in the place of its name; whether it has placeholders to be filled.

        Raises:
            StorageError: there is none, or it cannot be read.
        """
        if self._line.value.startswith(SIGN):
            self._line.put(use(self._line.value, self._context.searches), 0)
            if not self._line.select_placeholder():
                self._line.action_end()
        return bool(placeholders_of(self._line.value))

    def search_past(self) -> bool:
        """Offer what was sent before and holds what is typed, or choose the next of them; whether there is any."""
        if self.is_past:
            self._list.move(1)
        else:
            self._is_past = True
            self._offer_past()
        return self.is_open

    def up(self) -> None:
        """Up in the list, or back to an earlier filter."""
        if self.is_open and (self._is_past or not self._list.is_first_chosen):
            self._list.move(-1)
        else:
            self._go_to(self._recall.older(self._context.history.lines, self._line.value))

    def down(self) -> bool:
        """Down in the list, or on to a later filter; whether there was either."""
        if self.is_open:
            self._list.move(1)
        elif self._recall.is_back:
            self._go_to(self._recall.newer())
        else:
            return False
        return True

    def _offer_past(self) -> None:
        typed = self._line.value
        lines = matching(self._context.history.lines, typed)
        self._show([Suggestion(line, end=len(typed)) for line in lines if line != typed])

    def _go_to(self, text: str | None) -> None:
        if text is not None:
            self.close()
            self._line.put(text)

    def _show(self, offers: Sequence[Suggestion]) -> None:
        self._list.offer(offers)
        self._line.is_offered = bool(offers)
