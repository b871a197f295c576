"""The main window: rail, pages, docks, status bar. Everything it can do is a row of the actions table."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QToolBar,
    QToolTip,
    QWidget,
)

from engine.records import RunStatus
from workbench.actions import ActionTable
from workbench.backstage import Backstage
from workbench.context import SAMPLE, Context
from workbench.pages import Page, PageWidget, pages
from workbench.settings import VERSION
from workbench.shell import window_actions
from workbench.shell.closing import ClosingDialog
from workbench.shell.docks import LogPanel, NotificationsPanel
from workbench.shell.page_maker import PageMaker
from workbench.shell.page_stack import PageStack
from workbench.shell.palette import CommandPalette, ShortcutSheet
from workbench.shell.queue_panel import QueuePanel
from workbench.shell.rail import Rail
from workbench.shell.status_bar import StatusBar
from workbench.shell.toasts import Toasts
from workbench.widgets.drops import files_of
from workbench.widgets.home_parts import ask_for_file, ask_for_folder

TITLE = "CoSeRec Workbench"
DOCK_HEIGHT = 190
LEAST_DOCK = 90
"""A dock takes its room from the page; it must not push the window off a small screen."""


class MainWindow(QMainWindow):
    """Thin: it builds the parts, shows pages, and asks before it closes on a training."""

    painted = Signal()
    """The first paint is over; what works behind the window may start."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.backstage = Backstage(context)
        self.pages = {page.id: page for page in pages()}
        self.stack = PageStack()
        self.maker = PageMaker(context, self.pages, self.stack.rehearse)
        self.maker.begun.connect(self.stack.add_page)
        self.maker.made.connect(self._page_made)
        self._current = ""
        self._has_painted = False
        self._may_close = False
        self.closing: ClosingDialog | None = None
        self.table = ActionTable(self, context.theme)
        self._refreshing = QTimer(self)
        self._refreshing.setSingleShot(True)
        self._refreshing.timeout.connect(self.table.refresh)
        self.docks: dict[str, QDockWidget] = {}
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        self.setDockOptions(QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AnimatedDocks)
        self._build()
        context.theme.dress(self)
        self.resize(1360, 860)
        self.restore()

    # Parts ----------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        context = self.context
        context.theme.follow(self, lambda window: window.setWindowIcon(context.theme.icon("app", "accent")))
        self.rail = Rail(list(self.pages.values()), context.theme)
        self.rail.chosen.connect(self.show_page)
        centre = QWidget()
        row = QHBoxLayout(centre)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        self.setCentralWidget(centre)
        self.queue_panel = QueuePanel(context)
        self.log_panel = LogPanel(context)
        self.notifications_panel = NotificationsPanel(context)
        for name, title, panel in (
            ("queue", "Queue", self.queue_panel),
            ("log", "Log", self.log_panel),
            ("notifications", "Notifications", self.notifications_panel),
        ):
            self._add_dock(name, title, panel)
        status = StatusBar(context, lambda: self.show_dock("queue"), lambda: self.show_dock("notifications"))
        self.setStatusBar(status)
        self.backstage.devices_known.connect(status.show_devices)
        self.toasts = Toasts(context.notifier, context.theme, centre)
        self.palette_popup = CommandPalette(self.table, context.theme, self)
        window_actions.fill(self)
        self._build_menus()
        context.session.page_requested.connect(self.open_page)
        context.session.import_requested.connect(self.import_file)
        context.session.dataset_changed.connect(self._show_title)
        context.runs.records_changed.connect(self._refresh_actions)
        self._show_title()

    def _add_dock(self, name: str, title: str, panel: QWidget) -> None:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock-{name}")
        panel.setMinimumHeight(LEAST_DOCK)
        dock.setWidget(panel)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        for other in self.docks.values():
            self.tabifyDockWidget(other, dock)
        dock.hide()
        dock.visibilityChanged.connect(lambda _: self.table.refresh())
        self.docks[name] = dock

    def _build_menus(self) -> None:
        menus: dict[str, QMenu] = {}
        for spec in self.table.specs.values():
            path = ""
            parent: Any = self.menuBar()
            for part in spec.menu.split("/"):
                path = f"{path}/{part}"
                if path not in menus:
                    menus[path] = parent.addMenu(part)
                parent = menus[path]
            if spec.separator_before:
                parent.addSeparator()
            parent.addAction(self.table.actions[spec.id])
        for path, menu in menus.items():
            menu.aboutToShow.connect(partial(self.table.show_in_menu, True))
            if path.count("/") == 1:  # not with a menu inside another, which stays open
                menu.aboutToHide.connect(partial(self.table.show_in_menu, False))
                menu.aboutToHide.connect(lambda: QTimer.singleShot(0, self._leave_menu_bar))
        bar = QToolBar("Main")
        bar.setObjectName("toolbar-main")
        bar.setMovable(False)
        bar.setIconSize(QSize(18, 18))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for name in window_actions.TOOLBAR:
            if name:
                bar.addAction(self.table.actions[name])
            else:
                bar.addSeparator()
        self.addToolBar(bar)
        self.table.refresh()

    def _leave_menu_bar(self) -> None:
        """Give the keyboard back once no menu is open. While the bar has it, a key that several pages have, Alt+1, is
        each page's: Qt calls that ambiguous and does nothing."""
        if QApplication.activePopupWidget() is None and self.focusWidget() is self.menuBar():
            QApplication.sendEvent(
                self.menuBar(), QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier(0))
            )

    # Pages ----------------------------------------------------------------------------------------------------------

    @property
    def current_page(self) -> str:
        """Id of the page that is shown."""
        return self._current

    def page_widget(self, page_id: str) -> PageWidget:
        """The page's widget, made now at the latest."""
        return self.maker.widget(page_id)

    def built_page(self, page_id: str) -> PageWidget | None:
        """The page's widget if it is made already."""
        return self.maker.widgets.get(page_id)

    @Slot(str)
    def _page_made(self, page_id: str) -> None:
        widget = self.maker.widgets[page_id]
        self._attach_commands(self.pages[page_id], widget)
        widget.restore_state(self.context.settings.read(f"page/{page_id}", dict, {}))

    def _attach_commands(self, page: Page, widget: PageWidget) -> None:
        for command in page.commands:
            if command.shortcut:
                self.table.attach(
                    f"{page.id}.{command.id}", getattr(widget, command.scope) if command.scope else widget
                )

    @Slot(str)
    def show_page(self, page_id: str) -> None:
        """Show a page."""
        widget = self.page_widget(page_id)
        self._current = page_id
        self.stack.show_page(widget)
        self.rail.select(page_id)
        widget.page_shown()
        self._refreshing.start(0)  # after the page has been painted: dozens of rows are asked whether they can be used

    @Slot(str, object)
    def open_page(self, page_id: str, state: dict[str, Any]) -> None:
        """What pages ask for through the session. A page that is not there is ignored: it comes with a later issue."""
        if page_id in self.pages:
            self.show_page(page_id)
            self.page_widget(page_id).open_state(**state)

    def show_dock(self, name: str) -> None:
        """Show a dock in front of the others."""
        is_first = all(dock.isHidden() for dock in self.docks.values())
        self.docks[name].show()
        self.docks[name].raise_()
        if is_first:
            self.resizeDocks([self.docks[name]], [DOCK_HEIGHT], Qt.Orientation.Vertical)

    def toggle_dock(self, name: str) -> None:
        """Show or hide a dock."""
        dock = self.docks[name]
        if dock.isHidden():
            self.show_dock(name)
            if isinstance(panel := dock.widget(), QueuePanel):
                panel.focus_first()
            return
        had_focus = dock.isAncestorOf(self.focusWidget() or self)
        dock.hide()
        if had_focus:
            self.page_widget(self._current).setFocus(Qt.FocusReason.OtherFocusReason)

    # What the actions do --------------------------------------------------------------------------------------------

    def choose_dataset(self) -> None:
        """Ask for a data file; the dialog does not block the window."""
        ask_for_file(self, self._folder(), self.context.open_file, self.context.workspace.datasets.suffixes)

    def choose_workspace(self) -> None:
        """Ask for a folder and open it as Home opens those used before: in a window of its own."""
        home: Any = self.page_widget("home")
        ask_for_folder(self, str(self.context.workspace.directory.parent), home.open_workspace)

    def choose_import(self) -> None:
        """Ask for a file to import, whether or not it could be opened as it is."""
        readable = self.context.workspace.datasets.suffixes
        ask_for_file(self, self._folder(), self.import_file, readable, "Import a data set")

    def _folder(self) -> str:
        dataset = self.context.session.dataset
        return "" if dataset == SAMPLE else str(Path(dataset).parent)

    @Slot(str)
    def import_file(self, path: str) -> None:
        """Show the import dialog for a file; what it makes is opened."""
        from workbench.widgets.import_dialog import ImportDialog

        dialog = ImportDialog(self.context, path, self)
        dialog.imported.connect(self.open_dataset)
        dialog.open()

    @Slot(str)
    def open_dataset(self, path: str) -> None:
        """Open a data set and look at it."""
        self.context.session.open_dataset(path)
        self.context.session.open_page("dataset")

    def focus_filter(self) -> None:
        """Put the cursor into the page's filter box."""
        box = self.page_widget(self._current).filter_box()
        if box is not None:
            box.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_help(self) -> None:
        """Explain what has the focus: its tool tip, at its place."""
        widget = QApplication.focusWidget()
        while widget is not None and not widget.toolTip():
            widget = widget.parentWidget()
        if widget is None:
            self.show_shortcuts()
            return
        QToolTip.showText(widget.mapToGlobal(widget.rect().bottomLeft()), widget.toolTip(), widget, msecShowTime=20_000)

    def show_shortcuts(self) -> None:
        """All shortcuts on one sheet."""
        self.shortcut_sheet = ShortcutSheet(self.table, self)
        self.shortcut_sheet.show()

    def _show_title(self, *_: object) -> None:
        """The data set, and the workspace where it is not the usual one: two windows would be called the same."""
        workspace = self.context.workspace
        where = "" if workspace.is_default else f" – {workspace.directory.name or workspace.directory}"
        self.setWindowTitle(f"{self.context.session.dataset_name}{where} – {TITLE}")

    def _refresh_actions(self, *_: object) -> None:
        self.table.refresh()

    # State ----------------------------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Layout and page as they were left, as far as they still make sense."""
        settings = self.context.settings
        self._default_state = bytes(self.saveState(VERSION).data())
        geometry, state = settings.read("window/geometry", bytes, b""), settings.read("window/state", bytes, b"")
        if geometry:
            self.restoreGeometry(QByteArray(geometry))
        if state:
            self.restoreState(QByteArray(state), VERSION)
        page = settings.read("window/page", str, "")
        self.show_page(page if page in self.pages else next(iter(self.pages)))

    def save(self) -> None:
        """Remember layout, page and what each page asks to keep."""
        settings = self.context.settings
        settings.write("window/geometry", bytes(self.saveGeometry().data()))
        settings.write("window/state", bytes(self.saveState(VERSION).data()))
        settings.write("window/page", self._current)
        for page_id, widget in self.maker.widgets.items():
            settings.write(f"page/{page_id}", widget.save_state())
        settings.save()

    def reset_layout(self) -> None:
        """Back to the layout of the first start."""
        self.restoreState(QByteArray(self._default_state), VERSION)
        for name in ("window", "page"):
            self.context.settings.forget(name)
        self.context.notifier.tell("The layout is reset.")

    # Events ---------------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._has_painted:
            self._has_painted = True
            # Twice through the event loop: the first turn paints.
            QTimer.singleShot(0, self, lambda: QTimer.singleShot(20, self, self.painted.emit))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if files_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if files := files_of(event.mimeData()):
            event.acceptProposedAction()
            self.context.open_dropped(files)

    def closeEvent(self, event: QCloseEvent) -> None:
        # A run that has ended leaves its process a moment later: there is nothing left to ask about.
        records = [(run_id, self.context.runs.get(run_id)) for run_id in self.backstage.training.run_ids]
        alive = [run_id for run_id, record in records if record is None or not record.status.is_end]
        if alive and not self._may_close:
            event.ignore()
            self._ask_before_closing(alive)
            return
        waits = bool(self.context.runs.with_status(RunStatus.QUEUED))
        if waits and self.backstage.training.has_queue and not self._may_close:
            event.ignore()
            self._ask_before_closing([])
            return
        self.save()
        self.backstage.close()
        event.accept()

    def _ask_before_closing(self, run_ids: list[str]) -> None:
        if self.closing is not None:
            self.closing.raise_()
            return
        book = self.context.runs
        names = [run_id if (record := book.get(run_id)) is None else book.name(record) for run_id in run_ids]
        # A run that has just been started still stands as queued in the store.
        queued = sum(other.id not in run_ids for other in self.context.runs.with_status(RunStatus.QUEUED))
        dialog = ClosingDialog(" and ".join(names[:2]) if len(names) <= 2 else f"{len(names)} runs", queued, self)
        dialog.answered.connect(lambda answer: self._close_with(answer, run_ids))
        dialog.finished.connect(self._closing_over)
        self.closing = dialog
        dialog.open()

    def _closing_over(self) -> None:
        self.closing = None

    def _close_with(self, answer: str, run_ids: list[str]) -> None:
        control = self.context.control
        self.backstage.training.take_no_more()
        if answer == "keep":
            control.hand_over(self.backstage.training.stop, self._close_now, self._could_not_close)
        elif answer == "stop" and run_ids:
            control.stop_and_wait(run_ids, self._close_now, self._could_not_close)
        else:
            self._close_now()

    def _close_now(self, *_: object) -> None:
        if self.closing is not None:
            self.closing.accept()
        self.close_without_asking()

    def close_without_asking(self) -> None:
        """Close the window; a run that trains goes on."""
        self._may_close = True
        self.close()

    def _could_not_close(self, error: BaseException) -> None:
        self.backstage.training.take_again()
        if self.closing is not None:
            self.closing.failed(str(error))
