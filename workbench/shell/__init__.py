"""The parts of the main window around its pages: rail, docks, status bar, toasts, palette, dialogs."""
