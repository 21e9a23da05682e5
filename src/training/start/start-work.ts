/** The surroundings of the computation of initial values. */
export interface StartWork {
  /** For graphs; the caller removes it. */
  folder: string;
  /** The runtime's threads; 0 for one per core. */
  threads: number;
  /** Called between parts of the work with the share that is done; throws to stop it. */
  progress: (share: number) => Promise<void>;
}
