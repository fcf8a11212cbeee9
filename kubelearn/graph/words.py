"""The picture's own words in each language. Kubernetes' names and states (Ready, Pending, kubelet) stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, str]

EN: Words = {
    "scheduler": "scheduler",
    "controllers": "controllers",
    "dns": "cluster DNS",
    "store": "store",
    "server": "API server",
    "idle": "idle",
    "revision": "revision {revision}",
    "held": "held",
    "waiting": "{count} waiting",
    "gate": "at the gate ({count}): a step delivers ▸",
    "to see": "{component} is to see {event}",
    "more": "… {count} more",
    "unplaced": "on no node yet",
    "no pods": "no pods",
    "no nodes": "no nodes yet",
    "endpoints": "{ready} of {all} endpoints ready",
    "no endpoints": "no endpoints: no pod matches the selector",
    "nothing": "nothing here yet",
    "no services": "no Services yet",
}
ZH: Words = {
    "scheduler": "调度器",
    "controllers": "控制器",
    "dns": "集群 DNS",
    "store": "存储",
    "server": "API server",
    "idle": "空闲",
    "revision": "版本 {revision}",
    "held": "已暂停",
    "waiting": "{count} 个等待",
    "gate": "闸口前（{count}）：单步送出 ▸",
    "to see": "{component} 将看到 {event}",
    "more": "… 还有 {count} 个",
    "unplaced": "尚未分配到节点",
    "no pods": "没有 Pod",
    "no nodes": "还没有节点",
    "endpoints": "{ready}/{all} 个端点就绪",
    "no endpoints": "没有端点：没有 Pod 匹配选择器",
    "nothing": "这里还什么都没有",
    "no services": "还没有 Service",
}
WORDS: Mapping[str, Words] = {"en": EN, "zh": ZH}
