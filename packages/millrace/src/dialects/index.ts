/**
 * Pipeline files: from YAML, JSON or TOML of one of several shapes to one `PipelinePlan`.
 *
 * `document.ts` reads the file, `environment.ts` puts variables in, one file per shape makes the plan. Shapes differ in
 * names and defaults; nothing behind this folder knows them. Loads no component.
 */
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { GraphPlan } from '../engine/graph/plan.ts'
import type { HttpPlan, PipelineGroup, PipelinePlan } from '../engine/plan.ts'
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import type { ConnectionsFile } from './connections-file.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import { readDocument, STANDARD_INPUT, type SourceDocument } from './document.ts'
import { variablesOf, withEnvironment, type Environment } from './environment.ts'
import { takeHttp } from './http.ts'
import { loadFunctions } from './line-functions.ts'
import { readLinear } from './linear/index.ts'
import { toConfigProblem } from './problems.ts'
import { dottedKeyWarnings } from './stage-warnings.ts'

/** How a file is to be read, where it does not say so itself or says something else. */
export interface ReadingOptions {
  /** File of connections for linear files, in place of their own. */
  readonly connections?: string | undefined
  /** Files of environment variables, `NAME=value` in each line; those of the process win. */
  readonly envFile?: readonly string[] | undefined
  /** The shape; recognised from the content when omitted. */
  readonly dialect?: Dialect | undefined
}

export interface PipelineFile {
  /** Undefined when there are problems, and for a file that holds stages only. */
  readonly plan: PipelinePlan | undefined
  /** The same for a file that is a graph of stages. */
  readonly graph?: GraphPlan | undefined
  /** The same for a file that holds several pipelines. */
  readonly group?: PipelineGroup | undefined
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
  /** Where what there is to see of a run is served. */
  readonly http?: readonly HttpPlan[] | undefined
}

/**
 * Reads a pipeline file and finds all its problems.
 *
 * @param file path, or `-` for standard input; relative paths inside it are resolved against its folder
 * @throws {ConfigError} `CONFIG_UNREADABLE` when the file does not exist or its syntax is wrong
 */
export async function readPipelineFile(
  file: string,
  ofProcess: Environment = process.env,
  reading: ReadingOptions = {},
): Promise<PipelineFile> {
  const environment = { ...(await variablesOf(reading.envFile ?? [])), ...ofProcess }
  const document = withoutExtras(await readDocument(file))
  const { value: whole, problems: unset } = withEnvironment(document, environment)
  const { rest: written, http: atTop, problems: ofHttp } = takeHttp(whole)
  const ofFile = [...unset, ...ofHttp.map(toConfigProblem)]
  const path = resolve(file)
  const name = file === STANDARD_INPUT ? 'stdin' : basename(path, extname(path))
  const directory = dirname(path)
  const dialect = reading.dialect ?? dialectOf(written)
  const connections =
    dialect === 'linear' ? await connectionsOf(file, written, environment, reading.connections) : undefined
  const value = connections === undefined ? written : { ...(written as object), connections: connections.value }
  const functions = dialect === 'stage-graph' ? undefined : await loadFunctions(value)
  const {
    plan,
    graph,
    group,
    problems,
    warnings,
    http = [],
  }: PipelineFile = dialect === 'stage-graph'
    ? await (await import('./stage-graph/index.ts')).readStageGraph(value, { file, name, environment })
    : dialect === 'connectors'
      ? (await import('./connectors/index.ts')).readConnectors(value, { file, directory, name, functions })
      : readLinear(value, { file, directory, name, functions })
  const missing = [...ofFile, ...(connections?.problems ?? [])]
  // Where a variable is missing, what the option says about the hole that it leaves is of no use.
  const holes = new Set(missing.map(({ path }) => path))
  // So are, without their file, names of connections.
  const isUnread = connections !== undefined && connections.locate === undefined
  const isHole = ({ path }: ConfigProblem): boolean => holes.has(path) || (isUnread && path.endsWith('.connectionRef'))
  const located = [...missing, ...problems.filter((problem) => !isHole(problem))].map(locate)
  const isRunnable = located.length === 0
  const told = {
    warnings: [...dottedKeyWarnings(document), ...warnings].map(locate).toSorted(byPosition),
    http: [...atTop, ...http],
  }
  return {
    plan: isRunnable && plan !== undefined ? { ...plan, ...told } : undefined,
    graph: isRunnable && graph !== undefined ? { ...graph, ...told } : undefined,
    group: isRunnable && group !== undefined ? { ...group, ...told } : undefined,
    problems: located.toSorted(byPosition),
    ...told,
  }

  function locate(written: ConfigProblem): ConfigProblem {
    const problem = document.isToml ? inToml(written) : written
    if (connections?.locate !== undefined && /^connections(?:\.|$)/.test(problem.path))
      return connections.locate(problem)
    const position = problem.line === undefined ? document.positionOf(problem.path) : undefined
    return position === undefined ? problem : { ...problem, ...position }
  }
}

/** The file of connections of a linear file: one that was asked for, or the one that it names. */
async function connectionsOf(
  file: string,
  value: unknown,
  environment: Environment,
  given: string | undefined,
): Promise<ConnectionsFile | undefined> {
  const named = isObject(value) ? value['connections'] : undefined
  const path = given ?? (typeof named === 'string' ? join(dirname(file), named) : undefined)
  return path === undefined || !isObject(value)
    ? undefined
    : (await import('./connections-file.ts')).readConnectionsFile(path, environment)
}

/**
 * A file without what says nothing of the pipeline: `$schema`, which tells editors what the file is, and `x-` keys at the top,
 * which are a place for anchors.
 */
function withoutExtras(document: SourceDocument): SourceDocument {
  if (!isObject(document.value)) return document
  const entries = Object.entries(document.value).filter(([name]) => name !== '$schema' && !name.startsWith('x-'))
  return { ...document, value: Object.fromEntries(entries) }
}

/**
 * Reads a pipeline file that is to be run as a line of one source, stages and one sink.
 * @throws {ConfigError} with all problems
 */
export async function readPlan(
  file: string,
  environment?: Environment,
  reading?: ReadingOptions,
): Promise<PipelinePlan> {
  const plan = await readAnyPlan(file, environment, reading)
  if ('source' in plan) return plan
  const what = 'nodes' in plan ? 'is a graph of stages' : 'holds several pipelines'
  const message = `This ${what}; use a pipeline with one source, stages and one sink here`
  throw new ConfigError(`Cannot use pipeline file "${file}": ${message}`, [{ path: 'stages', message }])
}

/**
 * Reads a pipeline file of any shape that is to be run.
 * @throws {ConfigError} with all problems
 */
export async function readAnyPlan(
  file: string,
  environment?: Environment,
  reading?: ReadingOptions,
): Promise<PipelinePlan | PipelineGroup | GraphPlan> {
  const { plan: line, graph, group, problems } = await readPipelineFile(file, environment, reading)
  const plan = line ?? graph ?? group
  if (problems.length > 0)
    throw new ConfigError(
      `Pipeline file "${file}" has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`,
      problems,
    )
  if (plan === undefined)
    throw new ConfigError(`Pipeline file "${file}" has only stages: add a source and a sink to run it`, [
      { path: '', line: 1, column: 1, message: 'It has no source and no sink, so there is nothing to run' },
    ])
  return plan
}

/** What to write instead, as it is written in TOML. */
function inToml(problem: ConfigProblem): ConfigProblem {
  const [, name, value] = /^for example ([\w.]+): (.*)$/s.exec(problem.suggestion ?? '') ?? []
  if (name === undefined) return problem
  return { ...problem, suggestion: `for example ${name} = ${value!.replaceAll(/("?[\w.-]+"?): /g, '$1 = ')}` }
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  const isElsewhere = ({ file }: ConfigProblem): number => (file === undefined ? 0 : 1)
  return isElsewhere(a) - isElsewhere(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}
