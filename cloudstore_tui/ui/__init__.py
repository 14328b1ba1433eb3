"""The screen: widgets, dialogs and screens, and the only way from data to the terminal."""
