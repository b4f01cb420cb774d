// URNs of the ways in which side inputs and user state are accessed. The facts that they are checked against are in test/conformance/facts.

/** `StandardSideInputTypes.Enum`. */
export const SIDE_INPUT_ACCESS = {
  ITERABLE: "beam:side_input:iterable:v1",
  MULTIMAP: "beam:side_input:multimap:v1",
} as const;

/** `StandardUserStateTypes.Enum`. */
export const USER_STATE = {
  BAG: "beam:user_state:bag:v1",
  MULTIMAP: "beam:user_state:multimap:v1",
  ORDERED_LIST: "beam:user_state:ordered_list:v1",
} as const;
