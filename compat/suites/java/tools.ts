/** Running Kafka's own tools, as `bin/kafka-topics.sh` and its neighbours do. */
import { type ChildProcess } from 'node:child_process'
import { javaTool, spawnJava } from '../../../test-bed/java.ts'
import type { TestContext } from '../../tests.ts'

/** Classes by the names of their scripts. */
const CLASSES = {
  'broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'client-compatibility-test': 'org.apache.kafka.tools.ClientCompatibilityTest',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  configs: 'kafka.admin.ConfigCommand',
  'console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  features: 'org.apache.kafka.tools.FeatureCommand',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  groups: 'org.apache.kafka.tools.GroupsCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  topics: 'org.apache.kafka.tools.TopicCommand',
  'transactional-message-copier': 'org.apache.kafka.tools.TransactionalMessageCopier',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
  'verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
} as const

export type Tool = keyof typeof CLASSES

const TIMEOUT_MS = 120_000

/** Only the copier does not know the option that all others have. */
const addressOption = (tool: Tool): string =>
  tool === 'transactional-message-copier' ? '--broker-list' : '--bootstrap-server'

/** Those with commands want options behind them. */
function argumentsOf(context: TestContext, tool: Tool, args: readonly string[]): string[] {
  const address = [addressOption(tool), context.bootstrapServers]
  return tool === 'cluster' ? [...args, ...address] : [...address, ...args]
}

/**
 * Runs a tool to its end.
 *
 * @returns what it printed to standard output
 * @throws {Error} it ended with another code than 0
 */
export async function run(context: TestContext, tool: Tool, args: readonly string[], stdin?: string): Promise<string> {
  const { stdout } = await javaTool(CLASSES[tool], argumentsOf(context, tool, args), {
    timeoutMs: TIMEOUT_MS,
    signal: context.signal,
    ...(stdin === undefined ? {} : { stdin }),
  })
  return stdout
}

/** Starts a tool; the caller kills it. */
export async function start(context: TestContext, tool: Tool, args: readonly string[]): Promise<ChildProcess> {
  const child = await spawnJava(CLASSES[tool], argumentsOf(context, tool, args), { stdio: 'ignore' })
  context.signal.addEventListener('abort', () => child.kill('SIGKILL'))
  return child
}

export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')

/** The rows of a table that a tool has printed, by the names in its first line, which begins with `first`. */
export function tableOf(text: string, first: string): { [column: string]: string }[] {
  const lines = linesOf(text)
  const head = lines.findIndex((line) => line.startsWith(first))
  if (head < 0) throw new Error(`There is no table with the column ${first} in:\n${text}`)
  const columns = cellsOf(lines[head]!)
  return lines
    .slice(head + 1)
    .map((line) => Object.fromEntries(cellsOf(line).map((cell, index) => [columns[index] ?? String(index), cell])))
}

/** Some tables have tabs, and names of columns with spaces; in the others, a long cell leaves one space to the next. */
const cellsOf = (line: string): string[] => line.trim().split(line.includes('\t') ? /\s*\t\s*/ : /\s+/)

export const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

export const byNumber = (a: string, b: string): number => Number(a) - Number(b)

export async function createTopic(context: TestContext, prefix: string, partitions = 1): Promise<string> {
  const topic = context.unique(prefix)
  await run(context, 'topics', ['--create', '--topic', topic, '--partitions', String(partitions)])
  return topic
}

export async function write(context: TestContext, topic: string, values: readonly string[]): Promise<void> {
  await run(context, 'console-producer', ['--topic', topic], `${values.join('\n')}\n`)
}

/** Reads so many records, in the order of their arrival. */
export async function read(
  context: TestContext,
  topic: string,
  count: number,
  args: readonly string[] = [],
): Promise<string[]> {
  const options = ['--topic', topic, '--from-beginning', '--max-messages', String(count), ...args]
  return linesOf(await run(context, 'console-consumer', options))
}
