/**
 * Connections in a file of their own, in any format that pipeline files have: the list that may stand under `connections`,
 * alone or under that name.
 *
 * ```yaml
 * - { connectionRef: main, config: { type: kafka, bootstrapServers: "${BROKERS}" } }
 * ```
 */
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import { readDocument, type SourceDocument } from './document.ts'
import { withEnvironment, type Environment } from './environment.ts'

export interface ConnectionsFile {
  /** What would stand under `connections` of the pipeline file. */
  readonly value: unknown
  /** Problems with the file itself, and with variables in it. */
  readonly problems: readonly ConfigProblem[]
  /** Gives a problem whose path begins with `connections` its place in this file; undefined when it could not be read. */
  readonly locate: ((problem: ConfigProblem) => ConfigProblem) | undefined
}

/** @param file path as it is to be shown. Never throws for what is wrong with the file */
export async function readConnectionsFile(file: string, environment: Environment): Promise<ConnectionsFile> {
  let document: SourceDocument
  try {
    document = await readDocument(file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems.map((problem) =>
      problem.line === undefined ? { path: 'connections', message: problem.message } : { ...problem, file },
    )
    return { value: undefined, problems, locate: undefined }
  }
  const isNamed = isObject(document.value) && 'connections' in document.value
  const skipped = isNamed ? 0 : 1
  const { value, problems } = withEnvironment(
    {
      ...document,
      value: isNamed ? document.value : { connections: document.value },
      quoting: (path) => document.quoting(path.slice(skipped)),
    },
    environment,
  )
  const locate = (problem: ConfigProblem): ConfigProblem => {
    const path = isNamed ? problem.path : problem.path.replace(/^connections\.?/, '')
    return { ...problem, path, file, ...document.positionOf(path) }
  }
  return { value: (value as { readonly connections: unknown }).connections, problems, locate }
}
