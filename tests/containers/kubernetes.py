#!/usr/bin/env python3
"""Builds the overlays of deploy/k8s with kustomize, validates the result, and checks what connects the objects."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

K8S = Path(__file__).resolve().parents[2] / "deploy/k8s"
PODS = {"auth-service", "caddy", "drift-service", "notify-service", "ws-gateway"}
SECRETS = """AUTH_DATABASE_URL DRIFT_DATABASE_URL NOTIFY_DATABASE_URL AUTH_REDIS_URL DRIFT_REDIS_URL NOTIFY_REDIS_URL
GATEWAY_REDIS_URL JWT_REFRESH_SECRET DRIFT_HASH_SECRET NOTIFY_SECRET""".split()
EGRESS = {
    "auth-service": {53, 5432, 6379, 6380, 6432, 26379},
    "caddy": {53, 4001, 4002, 4004},
    "drift-service": {53, 5432, 6379, 6380, 6432, 26379},
    "notify-service": {53, 443, 5432, 6379, 6380, 6432, 26379},
    "ws-gateway": {53, 6379, 6380, 26379},
}


def build(overlay):
    """Returns the objects of an overlay, after kubernetes-validate has accepted them."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "k8s"
        shutil.copytree(K8S, copy)
        (copy / "overlays" / overlay / ".env").write_text("".join(f"{name}=value\n" for name in SECRETS))
        built = subprocess.run(
            ["kustomize", "build", copy / "overlays" / overlay], check=True, capture_output=True, text=True
        ).stdout
        file = Path(folder) / "built.yaml"
        file.write_text(built)
        subprocess.run(["kubernetes-validate", "--strict", "--quiet", file], check=True)
    return list(yaml.safe_load_all(built))


def selects(selector, labels):
    """Returns whether a selector of labels, possibly with `In`, selects an object with these labels."""
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))


def check(overlay):
    objects = build(overlay)
    of = lambda kind: [one for one in objects if one["kind"] == kind]
    workloads = {one["metadata"]["name"]: one for one in of("Deployment") + of("StatefulSet")}
    assert workloads.keys() == PODS, workloads.keys()
    configs = {one["metadata"]["name"] for one in of("ConfigMap") + of("Secret")}
    [settings] = [one["data"] for one in of("ConfigMap") if one["metadata"]["name"].startswith("settings-")]
    assert settings["REDIS_PREFIX"], "the services need one REDIS_PREFIX"
    scaled = {one["spec"]["scaleTargetRef"]["name"]: one["spec"]["minReplicas"] for one in of("HorizontalPodAutoscaler")}
    assert scaled.keys() == (PODS - {"caddy"} if overlay == "ha" else set()), scaled

    for name, workload in workloads.items():
        pod = workload["spec"]["template"]
        labels, spec, [container] = pod["metadata"]["labels"], pod["spec"], pod["spec"]["containers"]
        assert selects(workload["spec"]["selector"], labels), name
        replicas = scaled.get(name) or workload["spec"].get("replicas")
        assert replicas == (2 if overlay == "ha" else 1), f"{name}: {replicas} replicas"
        assert container["image"] == f"driftsentry/{name}:0.1.0", container["image"]

        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], name
        assert security["capabilities"]["drop"] == ["ALL"] and spec["securityContext"]["runAsNonRoot"], name
        assert not spec["automountServiceAccountToken"] and container["resources"]["limits"]["memory"], name
        [spread] = spec["topologySpreadConstraints"]
        assert spread["whenUnsatisfiable"] == ("DoNotSchedule" if overlay == "ha" else "ScheduleAnyway"), name

        # Every name of a ConfigMap or a Secret is one that kustomize has generated.
        named = [one["configMapRef"]["name"] for one in container.get("envFrom", [])]
        named += [one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"] if "secretKeyRef" in one.get("valueFrom", {})]
        named += [one["configMap"]["name"] for one in spec.get("volumes", []) if "configMap" in one]
        assert named and set(named) <= configs, f"{name}: {named}"

        if name != "caddy":
            [source] = container["envFrom"]
            assert source["configMapRef"]["name"].startswith("settings-"), f"{name} does not read the settings"

        budgets = [one for one in of("PodDisruptionBudget") if selects(one["spec"]["selector"], labels)]
        assert len(budgets) == 1 and budgets[0]["spec"]["maxUnavailable"] == 1, name
        policies = [one["spec"] for one in of("NetworkPolicy") if selects(one["spec"]["podSelector"], labels)]
        denied = [one for one in policies if one["podSelector"] == {} and "ingress" not in one and "egress" not in one]
        assert denied and set(denied[0]["policyTypes"]) == {"Ingress", "Egress"}, name
        rules = [rule for policy in policies for rule in policy.get("egress", [])]
        assert all(rule.get("ports") for rule in rules), f"{name}: a rule without ports allows everything"
        assert {port["port"] for rule in rules for port in rule["ports"]} == EGRESS[name], name
        ingress = [rule for policy in policies for rule in policy.get("ingress", [])]
        assert any(port["port"] == container["ports"][0]["containerPort"] for rule in ingress for port in rule["ports"]), name
    print(f"deploy/k8s/overlays/{overlay}: {len(objects)} objects are valid")


for overlay in sys.argv[1:] or ["small", "ha"]:
    check(overlay)
