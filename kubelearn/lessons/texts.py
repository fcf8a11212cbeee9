"""What the lesson commands and the demo say by themselves, in each language; the lessons bring their own prose."""

from __future__ import annotations

from collections.abc import Mapping

_EN = {
    "predict": "Predict",
    "answer": "answer with: kubelearn lesson answer NUMBER",
    "task": "Do",
    "files": "the files of this lesson are in",
    "debrief": "Why it worked",
    "done": "Done. Go on with: kubelearn lesson next",
    "finished": "lesson {} is finished",
    "seen": "seen",
    "wanted": "wanted",
    "or": "or",
    "right": "Right",
    "not-right": "Not so",
    "all-passed": "every check passed",
    "gave-up": "gave up at step {}: its checks did not come true within {} s",
}
_ZH = {
    "predict": "猜一猜",
    "answer": "作答：kubelearn lesson answer 编号",
    "task": "动手",
    "files": "本课的文件在",
    "debrief": "为什么会这样",
    "done": "完成。继续：kubelearn lesson next",
    "finished": "课程 {} 已完成",
    "seen": "看到",
    "wanted": "需要",
    "or": "或者",
    "right": "正确",
    "not-right": "不是这样",
    "all-passed": "所有检查都通过了",
    "gave-up": "停在步骤 {}：它的检查在 {} 秒内没有全部通过",
}
_ALL = {"en": _EN, "zh": _ZH}


def texts(language: str) -> Mapping[str, str]:
    return _ALL[language]
