// Lint rules that hold the configuration against the manifests that Weir is deployed by: what it can read.

import { type Path, valueAt } from "../config/path.ts";
import type { Config } from "../config/schema.ts";
import type { LintReport, LintRule } from "./finding.ts";
import { type Container, sets, textSetBy } from "./manifest_container.ts";
import { frozenBy } from "./manifest_mounts.ts";
import { annotationsOf, type Pod, weirContainers, weirPods } from "./manifest_pods.ts";

const fileBySubPath: LintRule = {
  name: "file-by-subpath",
  check: (config, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod) =>
      weirContainers(pod).flatMap((container) =>
        filesOf(config, container).flatMap(({ file, path, subject }): LintReport[] => {
          const kind = frozenBy(file, container, pod.volumes);
          if (kind === null || isReplacedWith(kind, pod)) return [];
          return [{
            path,
            ...(subject === undefined ? {} : { subject }),
            severity: "warning",
            state: `is ${file}, which the manifest mounts from a ${kind} by subPath`,
            why:
              "Kubernetes never changes what is mounted so: what is written there anew reaches new pods only.",
            fix: "Mount the whole volume as a folder, without subPath.",
          }];
        })
      )
    ),
};

/** Whether pods make way for new ones when what is in such a volume changes, as far as annotations say so. */
function isReplacedWith(kind: string, pod: Pod): boolean {
  return Object.keys(annotationsOf(pod)).some((name) =>
    // By a controller of that name; by Helm, which knows no Secret that another program makes.
    /(^|\.)reloader\./.test(name) || kind === "ConfigMap" && name.startsWith("checksum/")
  );
}

/** A file that Weir reads again, when it changes or at a reload. */
interface NamedFile {
  readonly file: string;
  readonly path: Path;
  /** In place of the path's key. */
  readonly subject?: string;
}

/** Those of a container. */
function filesOf(config: Config, container: Container): NamedFile[] {
  const named: readonly Path[] = [
    ["listen", "tls", "certFile"],
    ["listen", "tls", "keyFile"],
    ...(sets(container, ["WEIR_STICKY_KEY"]) ? [] : [["stickyKeyFile"]]),
    ...Object.keys(config.upstreams).flatMap((name) =>
      ["caFile", "certFile", "keyFile"].map((key) => ["upstreams", name, "tls", key])
    ),
  ];
  const files = named.flatMap((path) => {
    const file = valueAt(config, path);
    return typeof file === "string" ? [{ file, path }] : [];
  });
  const own = textSetBy([container], "--config", "CONFIG");
  return own === undefined ? files : [{ file: own, path: [], subject: "the configuration file" }, ...files];
}

export const manifestFileRules: readonly LintRule[] = [fileBySubPath];
