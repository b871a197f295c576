"""Tags and note of one run, edited where they are read; written when the field is left or Enter is pressed."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit

from engine.records import RunRecord
from workbench.run_book import RunBook
from workbench.run_marking import RunMarking
from workbench.theme import SMALL, SPACE, Theme
from workbench.widgets.choice_box import Proposals
from workbench.widgets.layout import Card, button, label


def split_tags(text: str) -> tuple[str, ...]:
    """``paper, seed sweep`` → its tags, each once."""
    return tuple(dict.fromkeys(" ".join(part.split()) for part in text.split(",") if part.strip()))


class RunNote(Card):
    """A card with tags, note and star."""

    def __init__(self, theme: Theme, book: RunBook, marking: RunMarking) -> None:
        super().__init__("Notes")
        self._book, self._marking = book, marking
        self._record: RunRecord | None = None
        self.tags = QLineEdit()
        self.tags.setPlaceholderText("separated by commas")
        self.tags.setAccessibleName("Tags of the run")
        self.tags.setToolTip("Find them again with tag:name in the filter")
        self._words = QStringListModel()
        completer = Proposals(self._words, theme, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.tags.setCompleter(completer)
        self.tags.editingFinished.connect(self._write_tags)
        self.note = QLineEdit()
        self.note.setPlaceholderText("anything worth remembering")
        self.note.setAccessibleName("Note on the run")
        self.note.editingFinished.connect(self._write_note)
        self.star = button(
            "Make it the baseline",
            self.toggle_star,
            theme=theme,
            icon="star",
            tip="The Δ columns of this data set's runs are differences from it (B)",
        )
        self.told = label("", "muted")
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.star)
        row.addWidget(self.told, 1)
        fields = QGridLayout()
        fields.setSpacing(SMALL)
        for line, (name, field) in enumerate((("Tags", self.tags), ("Note", self.note))):
            caption = label(name, "muted")
            caption.setBuddy(field)
            fields.addWidget(caption, line, 0)
            fields.addWidget(field, line, 1)
        self.body.addLayout(fields)
        self.body.addLayout(row)
        book.marks_changed.connect(self._refresh)

    def show_record(self, record: RunRecord) -> None:
        """Show a run's marks; what is being typed is left alone."""
        is_other = self._record is None or record.id != self._record.id
        if is_other:
            # What was typed for the run before belongs to it.
            self._write_tags()
            self._write_note()
        self._record = record
        mark = self._book.marks(record.id)
        for field, text in ((self.tags, ", ".join(mark.tags)), (self.note, mark.note)):
            if is_other or not field.hasFocus():
                field.setText(text)
                field.setModified(False)
        is_starred = self._book.baselines.get(record.fingerprint) == record.id
        self.star.setText("No longer the baseline" if is_starred else "Make it the baseline")
        self.told.setText("★ baseline of its data set" if is_starred else "")

    def _refresh(self, run_ids: set[str]) -> None:
        words = self._book.tags
        if words != self._words.stringList():
            self._words.setStringList(words)
        if self._record is not None and self._record.id in run_ids:
            self.show_record(self._record)

    def _write_tags(self) -> None:
        if self._record is None or not self.tags.isModified():
            return
        self.tags.setModified(False)
        before, after = self._book.marks(self._record.id).tags, split_tags(self.tags.text())
        add = [tag for tag in after if tag not in before]
        remove = [tag for tag in before if tag not in after]
        if add or remove:
            self._marking.tag([self._record], add, remove)

    def _write_note(self) -> None:
        if self._record is None or not self.note.isModified():
            return
        self.note.setModified(False)
        if self.note.text().strip() != self._book.marks(self._record.id).note:
            self._marking.note(self._record, self.note.text())

    def toggle_star(self) -> None:
        """Make the run the baseline, or no longer."""
        if self._record is not None:
            is_starred = self._book.baselines.get(self._record.fingerprint) == self._record.id
            self._marking.star(self._record, is_starred=not is_starred)
