/** What the driver knows of a suite, and what a suite gets from it. `suites/` has one file for each, `tests.ts` helps to write one. */
import type { BrokerOptions } from '../packages/millrace/src/broker/index.ts'

export type Result = 'passed' | 'failed' | 'skipped'

/** How one test of a suite ended. */
export interface Outcome {
  /** Its name, as `--only` and `expected-failures.ts` have it. */
  readonly test: string
  readonly result: Result
  /** Why it failed or was skipped. */
  readonly text?: string
}

export type SuiteBrokerOptions = Pick<
  BrokerOptions,
  'nodes' | 'defaultPartitions' | 'autoCreateTopics' | 'retentionBytes'
> & {
  /** Whether ACLs can be set; what has none may be used by everybody. */
  readonly hasAcls?: boolean
  /** Whether clients authenticate, as `sasl.ts` says; with nothing else. */
  readonly hasSasl?: boolean
}

export interface Suite {
  readonly name: string
  /** What it is and where it comes from, in one line. */
  readonly summary: string
  /** The broker that it needs, where that is not the default one; `--kafka` starts Apache Kafka likewise. */
  readonly broker?: SuiteBrokerOptions
  /** Whether only tests that failed are shown, because there are thousands. */
  readonly isQuiet?: boolean
  /**
   * Says what this machine lacks, for example a compiler; `undefined` when it lacks nothing. The suite is then skipped. What
   * a registry has is fetched by `run`, and failing to fetch it is an error.
   */
  whyNot?(): Promise<string | undefined>
  /**
   * Runs the tests that `context.wants`, and reports each once.
   *
   * @throws {Error} the suite could not be fetched, built or started; that is no failed test
   */
  run(context: SuiteContext): Promise<void>
}

export interface SuiteContext {
  /** Name of the suite that runs. */
  readonly suite: string
  readonly bootstrapServers: string
  /** Which broker that is. */
  readonly kind: BrokerKind
  /** Whether to take a small number of records, and only the quick tests where there are many; CI does. */
  readonly isShort: boolean
  /** Kept from run to run, for what is fetched and built; it exists. */
  readonly cache: string
  /** Of this run alone, for logs and other files; it exists. The driver removes it unless something failed. */
  readonly scratch: string
  /** Aborted by Ctrl-C: processes that the suite started must end. */
  readonly signal: AbortSignal
  /**
   * Starts another broker of the same kind, with other settings, which ends with the run.
   *
   * @returns its bootstrap servers; `undefined` when `--broker` names the broker of the run
   */
  startAnother(options: SuiteBrokerOptions): Promise<string | undefined>
  /** The tests that were asked for (`--only`); all when omitted. */
  readonly only?: readonly string[] | undefined
  /** Whether a test is among those that were asked for. */
  wants(test: string): boolean
  report(outcome: Outcome): void
  /** Shows a line of what is happening. */
  progress(text: string): void
}

export type BrokerKind = 'embedded' | 'kafka'

/** A failure that is known and explained. */
export interface ExpectedFailure {
  readonly test: string
  /** Why the test cannot pass, in a sentence for readers of FINDINGS.md. */
  readonly reason: string
  /** The brokers on which it fails; `embedded` alone when omitted. */
  readonly on?: readonly BrokerKind[]
}
