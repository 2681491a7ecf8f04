export interface StageExample {
  readonly title: string
  /** What stands below the name of the stage. */
  readonly spec: unknown
  readonly have: readonly unknown[]
  readonly want: readonly unknown[]
}

export interface StageReference {
  readonly summary: string
  /** What stands below its name, in words. */
  readonly takes: string
  readonly examples: readonly [StageExample, ...StageExample[]]
}
