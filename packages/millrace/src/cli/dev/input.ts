/** What is fed into the topics that a pipeline reads: the lines of a file, or orders that are generated. */
import { resolve } from 'node:path'
import { FILE_SOURCE, GENERATE_SOURCE, KAFKA_SINK, planned, type CatalogEntry } from '../../catalog.ts'
import { FAIL, type PipelinePlan } from '../../engine/plan.ts'
import { ConfigError } from '../../errors/index.ts'
import { parseOptions } from '../../options/parse.ts'

export interface InputOptions {
  /** File of JSON Lines; orders are generated when omitted. */
  readonly input?: string
  /** Orders a second. */
  readonly rate: number
  /** Field of the input that becomes the key. */
  readonly key?: string
}

/** A pipeline that writes the input to a topic. */
export function inputPlan(topic: string, bootstrapServers: string, { input, rate, key }: InputOptions): PipelinePlan {
  const source =
    input === undefined
      ? component(GENERATE_SOURCE, { recordsPerSecond: rate })
      : component(FILE_SOURCE, { path: resolve(input) })
  const sink = component(KAFKA_SINK, { topic, bootstrapServers, ...(key === undefined ? {} : { keyField: key }) })
  return {
    name: `input of ${topic}`,
    file: undefined,
    directory: process.cwd(),
    source,
    stages: [],
    sink,
    delivery: 'at_least_once',
    errorPolicy: FAIL,
    warnings: [],
  }
}

function component(entry: CatalogEntry<unknown>, given: object): PipelinePlan['source'] {
  const { options, problems } = parseOptions(entry, { ...given })
  if (problems.length > 0) throw ConfigError.of('Cannot feed the input', problems)
  return planned(entry, options)
}
