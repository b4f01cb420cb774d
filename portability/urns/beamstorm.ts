// URNs of our own.

/** Beamstorm's own. */
export const BEAMSTORM = {
  /** A DoFn of a program: its payload names the transform. */
  DO_FN: "beamstorm:dofn:program:v1",
  /** A source of a program: its payload names the transform. */
  SOURCE: "beamstorm:source:program:v1",
  /** Annotation of a transform: the greatest number of tasks that it can make use of, in decimal digits. */
  PARALLELISM: "beamstorm:annotation:parallelism:v1",
  /** A CombineFn of a program: its payload names the transform. */
  COMBINE_FN: "beamstorm:combinefn:program:v1",
  /** A window function of a program: its payload names it. */
  WINDOW_FN: "beamstorm:windowfn:program:v1",
  /** Windows of days, weeks, months or years of a time zone's calendar: their payload is JSON. */
  CALENDAR_WINDOWS: "beamstorm:windowfn:calendar:v1",
  /** A view of a side input: its payload names the transform. */
  VIEW_FN: "beamstorm:viewfn:program:v1",
  /** Maps a window to the one of a side input that ends first among those with its last instant. */
  WINDOW_MAPPING_FN: "beamstorm:windowmapping:default:v1",
  /** Any plain JavaScript value. */
  VALUE_CODER: "beamstorm:coder:value:v1",
  /** A value of one of several kinds: its components are the kinds' coders. */
  UNION_CODER: "beamstorm:coder:union:v1",
  /** A coder of a program: its payload names it. */
  CUSTOM_CODER: "beamstorm:coder:program:v1",
  /** Functions that the process itself executes. */
  EMBEDDED_ENVIRONMENT: "beamstorm:env:embedded:v1",
} as const;
