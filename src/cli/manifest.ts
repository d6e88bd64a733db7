// Kubernetes objects from a file or a folder of YAML files, for `weir check --manifest`.

import { parseAllDocuments } from "yaml";

/** Every object in `path`. @throws Error with the file that cannot be read or parsed */
export async function readManifests(path: string): Promise<unknown[]> {
  const info = await Deno.stat(path);
  const files = info.isDirectory ? [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`) : [path];
  const objects: unknown[] = [];
  for (const file of files.filter((name) => /\.(ya?ml|json)$/.test(name)).sort()) {
    for (const document of parseAllDocuments(await Deno.readTextFile(file))) {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]!.message}`);
      const object = document.toJS();
      if (object !== null) objects.push(object);
    }
  }
  return objects;
}
