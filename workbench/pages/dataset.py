"""Dataset: Table 1 of the open file, lengths, popularity, times and protocol; every user and every item as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from engine.errors import EngineError
from engine.records import DatasetDetails, DatasetSummary, UserSequence
from workbench.context import SAMPLE
from workbench.engine_process import Task
from workbench.pages import Page, PageCommand, PageWidget
from workbench.theme import HUGE, SPACE, TIGHT, WIDE
from workbench.widgets.cards import Card, Elided, label, scrolled
from workbench.widgets.states import StatefulStack

if TYPE_CHECKING:
    from workbench.widgets.filter_table import FilterTable

TABS = ("overview", "users", "items")


class DatasetPage(PageWidget):
    """Loads the summary when it is shown, then the tables; and again when another data set is opened."""

    def make(self) -> Iterator[None]:
        from workbench.widgets.dataset_overview import DatasetOverview

        yield
        from workbench.widgets.dataset_tables import ItemsTab, UsersTab
        from workbench.widgets.import_parts import ImportReportCard

        yield
        self.summary: DatasetSummary | None = None
        self.details: DatasetDetails | None = None
        self._task: Task | None = None
        self._asked = ""
        self._wanted_user = ""
        self._unfilled: set[str] = set()
        self.title = label("", "page-title")
        self.path = Elided("", "muted", Qt.TextElideMode.ElideMiddle)
        self.reload_button = QPushButton("Reload")
        theme = self.context.theme
        self.overview = DatasetOverview(theme, at_once=False)
        self.tabs = QTabWidget()
        self.stack = StatefulStack(self.tabs, theme)
        self._arrange()
        yield
        while self.overview.make_more():
            yield
        self.tiles, self.lengths = self.overview.tiles, self.overview.lengths
        self.popularity, self.protocol = self.overview.popularity, self.overview.protocol
        self.imported = ImportReportCard(theme)
        yield
        self.add_card(self.imported)
        yield
        self.users = UsersTab(theme)
        yield
        self.table_stacks = [self._add_table(self.users, "Users")]
        yield
        self.items = ItemsTab(theme)
        yield
        self.table_stacks.append(self._add_table(self.items, "Items"))
        yield
        self._connect()
        self._show_name()

    def _arrange(self) -> None:
        self.context.theme.follow_icon(self.reload_button, "reload", "muted")
        self.reload_button.setToolTip("Read the file again (F5)")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Parts of the Dataset page")
        area = scrolled(self.overview)
        # Always there: a bar that came with the later cards would make everything narrower, and be laid out once more.
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._add_tab(area, "Overview")
        texts = QVBoxLayout()
        texts.setSpacing(TIGHT // 2)
        texts.addWidget(self.title)
        texts.addWidget(self.path)
        head = QHBoxLayout()
        head.setContentsMargins(HUGE, WIDE + TIGHT, HUGE, SPACE)
        head.addLayout(texts, 1)
        head.addWidget(self.reload_button, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)

    def _add_tab(self, part: QWidget, title: str) -> None:
        place = self.tabs.addTab(part, title)
        self.tabs.setTabToolTip(place, f"{title} (Alt+{place + 1})")

    def _add_table(self, table: QWidget, title: str) -> StatefulStack:
        stack = StatefulStack(table, self.context.theme)
        self._add_tab(stack, title)
        return stack

    def _connect(self) -> None:
        session, panel = self.context.session, self.users.panel
        self.lengths.k_chosen.connect(self._use_k)
        self.lengths.k.valueChanged.connect(self._show_settings)
        self.tabs.currentChanged.connect(self._fill_shown)
        self.tabs.currentChanged.connect(self._show_settings)
        self.reload_button.clicked.connect(self.reload)
        session.dataset_changed.connect(self._dataset_changed)
        session.config_changed.connect(self._show_settings)
        self.users.table.picked.connect(lambda row: self.ask_user(self._user_of(row)))
        self.users.table.opened.connect(lambda row: session.open_page("augment", user=self._user_of(row)))
        self.items.table.opened.connect(self._open_item)
        panel.asked.connect(self.ask_user)
        panel.augment.connect(lambda user: session.open_page("augment", user=user))
        panel.neighbours.connect(lambda item: session.open_page("neighbours", item=item))

    def add_card(self, card: Card) -> None:
        """Put a card, e.g. the report of the import, at the end of the overview."""
        self.overview.add_card(card)

    # --- loading

    def page_shown(self) -> None:
        if self._asked != self.context.session.dataset:
            self.reload()

    @Slot(str)
    def _dataset_changed(self, _path: str) -> None:
        self._show_name()
        if self.isVisible():
            self.page_shown()

    @Slot()
    def reload(self) -> None:
        """Read the data set again."""
        path = self._asked = self.context.session.dataset
        self.summary = self.details = None
        self.stack.show_loading(f"Reading {self.context.session.dataset_name} …", self.cancel)
        self._task = self.context.run_in_engine(
            self.context.workspace.datasets.summary,
            path,
            on_result=self._loaded,
            on_error=self._failed,
            key=(id(self), "summary"),
        )

    @Slot()
    def cancel(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
        self.stack.show_empty("Reading was cancelled.", "Nothing has been changed.", "file", "Read again", self.reload)

    def _loaded(self, summary: DatasetSummary) -> None:
        self.summary = summary
        self._show_name()
        self.overview.set_summary(summary, int(self.context.session.config.augment.short_length))
        self.overview.clear_details()
        self._show_settings()
        self.stack.show_content()
        self._ask_details()
        self.imported.show_report(None)
        self.context.run_in_thread(
            self.context.workspace.imports.report,
            self._asked,
            on_result=lambda found: self.imported.show_report(found.report if found else None),
            key=(id(self), "import"),
        )

    @Slot()
    def _ask_details(self) -> None:
        for stack in self.table_stacks:
            stack.show_loading("Counting users and items …", self._cancel_details)
        self._task = self.context.run_in_engine(
            self.context.workspace.datasets.details,
            self._asked,
            on_result=self._detailed,
            on_error=self._details_failed,
            key=(id(self), "details"),
        )

    @Slot()
    def _cancel_details(self) -> None:
        if self._task is not None:
            self._task.cancel()
        for stack in self.table_stacks:
            stack.show_empty("Counting was cancelled.", "", "dataset", "Count again", self._ask_details)

    def _detailed(self, details: DatasetDetails) -> None:
        if self.summary is None or details.fingerprint != self.summary.fingerprint:
            self.reload()  # the file has changed between the two
            return
        self.details = details
        self.overview.set_details(details, self.context.session.config)
        self._unfilled = {"users", "items"}
        self._fill_shown()
        for stack in self.table_stacks:
            stack.show_content()
        if self._wanted_user:
            self.ask_user(self._wanted_user)

    @Slot()
    def _fill_shown(self, *_: object) -> None:
        """Fill a table when its tab is first in sight: not all in one turn of the event loop."""
        name = TABS[self.tabs.currentIndex()]
        if self.details is None or name not in self._unfilled:
            return
        self._unfilled.discard(name)
        if name == "users":
            self.users.set_users(self.details.users, self.lengths.k.value())
        else:
            self.items.set_items(self.details.items)

    def _details_failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        for stack in self.table_stacks:
            stack.show_error(error, "Count again", self._ask_details)

    def _failed(self, error: BaseException) -> None:
        self.summary = None
        self._show_name()
        self.context.notifier.report_bug(error)
        self.stack.show_error(error, "Read again", self.reload)

    def _show_name(self) -> None:
        session = self.context.session
        is_loaded = self.summary is not None and self._asked == session.dataset
        self.title.setText(session.dataset_name)
        where = "Bundled with the workbench" if session.dataset == SAMPLE else session.dataset
        if is_loaded and self.summary is not None:
            where += f"  ·  fingerprint {self.summary.fingerprint[:12]}"
        self.path.set_full(where)

    # --- users and items

    def _user_of(self, row: int) -> str:
        assert self.details is not None
        return self.details.users.users[row]

    def _open_item(self, row: int) -> None:
        assert self.details is not None
        self.context.session.open_page("neighbours", item=self.details.items.items[row])

    @Slot(str)
    def ask_user(self, user: str) -> None:
        """Show a user's sequence; only the newest answer counts."""
        self._wanted_user = ""
        self.context.run_in_engine(
            self.context.workspace.datasets.placed,
            self._asked,
            user,
            on_result=self._placed,
            on_error=self.users.panel.show_error,
            key=(id(self), "user"),
        )

    def _placed(self, sequence: UserSequence) -> None:
        if self.details is not None and "users" not in self._unfilled:
            self.users.set_sequence(sequence)

    # --- K

    def _use_k(self, k: int) -> None:
        try:
            self.context.session.change({"augment.short_length": k})
        except EngineError as error:
            self.context.notifier.report(error)
            return
        self.context.notifier.tell(f"Train now uses K = {k}.", level="good")

    @Slot()
    def _show_settings(self, *_: object) -> None:
        """What K, ``max_length`` and the rule for seen items are now."""
        config = self.context.session.config
        self.lengths.show_k_in_use(int(config.augment.short_length))
        self.overview.targets.set_rule(config)
        if self.tabs.currentIndex() == TABS.index("users"):
            self.users.set_split(self.lengths.k.value(), getattr(config.model, "max_length", None))

    # --- the page's protocol

    def show_tab(self, name: str) -> None:
        """``overview``, ``users`` or ``items``; the cursor goes to what is done there."""
        if name in TABS:
            self.tabs.setCurrentIndex(TABS.index(name))
            self.filter_box().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_overview(self) -> None:
        self.show_tab("overview")

    def show_users(self) -> None:
        self.show_tab("users")

    def show_items(self) -> None:
        self.show_tab("items")

    def open_state(self, user: str = "", tab: str = "", **_: Any) -> None:
        """Show a user's sequence, or a tab."""
        if user:
            self.tabs.setCurrentIndex(TABS.index("users"))
            if self.details is None:
                self._wanted_user = user
            else:
                self.ask_user(user)
        elif tab:
            self.show_tab(tab)

    def filter_box(self) -> QWidget:
        return (self.lengths.k, self.users.table.field, self.items.table.field)[self.tabs.currentIndex()]

    def save_state(self) -> dict[str, Any]:
        return {
            "log": self.lengths.log.isChecked(),
            "tail": self.lengths.tail.isChecked(),
            "tab": TABS[self.tabs.currentIndex()],
            "split": self.users.sizes(),
            "orders": {name: list(order) for name, table in self._tables() if (order := table.order())},
        }

    def _tables(self) -> tuple[tuple[str, FilterTable], ...]:
        return ("users", self.users.table), ("items", self.items.table)

    def restore_state(self, state: dict[str, Any]) -> None:
        self.lengths.log.setChecked(state.get("log") is True)
        self.lengths.tail.setChecked(state.get("tail") is True)
        if state.get("tab") in TABS:
            self.tabs.setCurrentIndex(TABS.index(state["tab"]))
        sizes = state.get("split")
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(s, int) and s > 0 for s in sizes):
            self.users.setSizes(sizes)
        orders = state.get("orders")
        for name, table in self._tables():
            order = orders.get(name) if isinstance(orders, dict) else None
            if isinstance(order, list) and len(order) == 2 and isinstance(order[0], str):
                table.set_order(order[0], order[1] is True)


PAGE = Page(
    id="dataset",
    title="Dataset",
    icon="dataset",
    order=2,
    build=DatasetPage,
    tip="Lengths, popularity, times and protocol of the open data set; its users and items",
    commands=(
        PageCommand("reload", "Read the data set again", "reload", "F5", icon="reload"),
        PageCommand("overview", "The data set's overview", "show_overview", "Alt+1"),
        PageCommand("users", "The data set's users", "show_users", "Alt+2"),
        PageCommand("items", "The data set's items", "show_items", "Alt+3"),
    ),
)
