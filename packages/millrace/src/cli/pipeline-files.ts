/**
 * The pipeline files that are meant by the arguments of a command: files as they are named, and what lies in named folders.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../errors/index.ts'

const PIPELINE_FILE = /(?<!\.test)\.(?:ya?ml|json|toml)$/i
const TEST_FILE = /\.test\.(?:ya?ml|json|toml)$/i

/**
 * @param paths as given on the command line; of several, files of test cases are left out, as `*.yaml` names them too
 * @throws {ConfigError} when a folder has no pipeline file
 */
export async function pipelineFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of paths) {
    if (await isFolder(path)) files.push(...(await filesIn(path)))
    else if (paths.length === 1 || !TEST_FILE.test(path)) files.push(path)
  }
  return files
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const files = names
    .filter((name) => PIPELINE_FILE.test(name) && !/(?:^|[/\\])(?:\.|node_modules[/\\])/.test(name))
    .toSorted()
    .map((name) => join(folder, name))
  if (files.length > 0) return files
  throw new ConfigError(`Cannot find pipeline files in "${folder}": their names end in .yaml, .yml, .json or .toml`)
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false, // reading the file reports what is wrong with it
  )
}
