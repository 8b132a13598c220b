// What a template of `ovid new agent` is made of.

/** The texts of a kind of agent, by its name. */
export interface Template {
  agent(name: string): string;
  grid(name: string): object;
  invariant(name: string): string;
  test(name: string): string;
  /** What stands behind the grid where its boxes are run. */
  readonly boxFlags?: string;
}
