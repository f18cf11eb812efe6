"""Texts of `/agile pause` and `/agile resume`."""

PAUSE_PREVIEW = (
    "I will no longer answer, post, or change anything in this repository, for everybody here. I will still "
    "record what happens, so your numbers stay complete.\n\nTo continue later, run `/agile resume`."
)
PAUSED_TEXT = (
    "**Paused.** I no longer answer, post, or change anything in this repository. I only react to commands "
    "with 👀. I still record what happens, so your numbers stay complete.\n\nTo continue, run `/agile "
    "resume`."
)
RESUMED_TEXT = (
    "**Resumed.** I answer, post, and make changes again. I recorded everything during the pause, but ran no "
    "commands. Please write those again."
)
NOT_PAUSED_TEXT = "I was not paused here."
