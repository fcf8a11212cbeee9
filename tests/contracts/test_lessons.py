"""Every lesson that ships, without a cluster: what `lesson verify` looks at before it plays one."""

from __future__ import annotations

import re

import pytest

from kubelearn.kit.data import data_dir
from kubelearn.lessons.model import LANGUAGES, Lesson, find, load_all
from kubelearn.lessons.static import static_problems

LESSONS = {lesson.id: lesson for lesson in load_all()}
_CHINESE = re.compile("[\u4e00-\u9fff]")


def test_nothing_but_lessons_lies_in_the_folder() -> None:
    assert sorted(p.name for p in data_dir("lessons").iterdir()) == sorted(LESSONS)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
class TestLesson:
    def test_its_files_parameters_languages_and_commands_are_right(self, lesson: Lesson) -> None:
        assert static_problems(lesson) == []

    def test_it_is_found_by_id_and_by_number(self, lesson: Lesson) -> None:
        assert find(lesson.id) == lesson
        assert find(str(lesson.order)) == lesson

    def test_it_says_what_it_teaches(self, lesson: Lesson) -> None:
        assert lesson.concepts
        assert lesson.teardown
        for language in LANGUAGES:
            assert lesson.prose[language].introduction

    def test_every_step_says_why_it_worked_and_has_hints_in_tiers(self, lesson: Lesson) -> None:
        for language in LANGUAGES:
            for step in lesson.prose[language].steps.values():
                assert step.debrief, step.id
                assert len(step.hints) >= 2, step.id

    def test_the_last_hint_leaves_nothing_to_guess(self, lesson: Lesson) -> None:
        """It holds a command of the solution, but for names that only the cluster knows."""
        for step in lesson.steps:
            verbs = {line.split()[1] for line in step.solution}
            assert any(f" {verb} " in f"{lesson.prose['en'].steps[step.id].hints[-1]} " for verb in verbs), step.id

    def test_each_language_is_its_own(self, lesson: Lesson) -> None:
        for step_id, step in lesson.prose["zh"].steps.items():
            assert all(_CHINESE.search(text) for text in (step.task, step.debrief, *step.hints)), step_id
            assert not any(_CHINESE.search(text) for text in lesson.prose["en"].steps[step_id].texts()), step_id

    def test_a_quiz_is_graded_where_something_is_predicted(self, lesson: Lesson) -> None:
        for step in lesson.steps:
            asked = lesson.prose["en"].steps[step.id].predict is not None
            assert asked == any(c.type == "quiz" for c in step.checks), step.id
