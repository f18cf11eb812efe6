"""Boxes are ticked and unticked by the change that they name."""

from hypothesis import given
from hypothesis import strategies as st

from commands.framework.boxes import find_ticked_boxes, render_box, untick_box


@given(st.lists(st.integers(0, 999), unique=True, max_size=5), st.data())
def test_only_the_box_of_the_change_is_unticked(changes: list[int], data: st.DataObject) -> None:
    ticked = data.draw(st.sets(st.sampled_from(changes))) if changes else set[int]()
    boxes = [render_box(change).replace("[ ]", "[x]" if change in ticked else "[ ]") for change in changes]
    text = "\n".join(["- [x] A list of somebody", *boxes, "The end"])
    assert find_ticked_boxes(text) == ticked
    for change in sorted(ticked):
        unticked = untick_box(text, change)
        assert find_ticked_boxes(unticked) == ticked - {change}
        assert unticked.replace("[ ]", "[x]") == text.replace("[ ]", "[x]")
    assert untick_box(text, 1000) == text
