/**
 * Functions: what the stages of a stage graph (Conveyor) call, by the names of their host.
 *
 * Sources, transforms and sinks in one folder, because a file names them in one way; `kafka` is a source or a sink, as its
 * inputs tell. Loading this costs little: clients and libraries are loaded when a run needs them.
 */
import type { FunctionDefinition } from '../contracts/functions.ts'
import { isStageName } from '../stages/definitions/index.ts'
import { aggregateStream, groupbyApply, reduceApply } from './aggregate.ts'
import { decryptApply, encryptApply } from './crypt.ts'
import { csvRead, csvWrite } from './csv-file.ts'
import { fileWatch } from './file-watch.ts'
import { filterApply } from './filter.ts'
import { httpFetch } from './http-fetch.ts'
import { jsonExtract } from './json-extract.ts'
import { jsonRead, jsonWrite } from './json-file.ts'
import { kafkaConsumer, kafkaProducer } from './kafka.ts'
import { mapApply } from './map.ts'
import { selectApply } from './select.ts'
import { distinctApply, sortApply } from './sort.ts'
import { stageFunction } from './stages.ts'
import { stdinRead, stdinStream, stdoutStreamWrite, stdoutWrite } from './stdio.ts'
import { firstPipeline, subPipeline } from './sub-pipeline.ts'
import { validateSchema } from './validate.ts'
import { chunkApply, windowApply } from './window.ts'

export const FUNCTIONS: readonly FunctionDefinition[] = [
  kafkaConsumer,
  csvRead,
  jsonRead,
  stdinRead,
  stdinStream,
  fileWatch,
  firstPipeline,
  filterApply,
  mapApply,
  selectApply,
  sortApply,
  distinctApply,
  groupbyApply,
  reduceApply,
  validateSchema,
  jsonExtract,
  chunkApply,
  windowApply,
  aggregateStream,
  httpFetch,
  encryptApply,
  decryptApply,
  subPipeline,
  kafkaProducer,
  csvWrite,
  jsonWrite,
  stdoutWrite,
  stdoutStreamWrite,
]

/** Other names of functions: of the host's documentation. */
export const FUNCTION_ALIASES: { readonly [name: string]: string | undefined } = {
  'stdout.stream': 'stdout_stream.write',
  'stdout.stream.write': 'stdout_stream.write',
}

/** The functions of a name, old names and stages of linear pipelines included. Of one name there may be two kinds. */
export function findFunctions(name: string): readonly FunctionDefinition[] {
  if (isStageName(name)) return [stageFunction(name)]
  const canonical = FUNCTION_ALIASES[name] ?? name
  return FUNCTIONS.filter((definition) => definition.name === canonical)
}

/** Functions of the host that are not taken over, and why. */
export const REFUSED_FUNCTIONS: { readonly [name: string]: string | undefined } = {
  'ai.generate': 'Millrace does not call language models; http.fetch can call any service',
  ...Object.fromEntries(
    ['get', 'post', 'put', 'patch', 'delete'].map((method) => [
      `http.${method}`,
      `use http.fetch with method = "${method.toUpperCase()}"`,
    ]),
  ),
  'http_fetch.apply': 'use http.fetch',
  ...Object.fromEntries(
    ['find', 'insert', 'update', 'delete', 'read', 'write'].map((operation) => [
      `mongodb.${operation}`,
      'Millrace has no connector for MongoDB: read and write it with Kafka Connect, and use the kafka function here',
    ]),
  ),
}
