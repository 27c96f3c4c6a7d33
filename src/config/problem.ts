/** One thing that is wrong with what the user gave. */
export interface Problem {
  /** The option, or the variable that stands for it. */
  readonly where: string;
  /** What is wrong and what is allowed, in one line. */
  readonly what: string;
}
