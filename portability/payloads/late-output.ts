/** Tag of the output of a group-by-key transform that has what came too late, beside that of the groups: an agreement of our SDK and our runner. */
export const LATE_OUTPUT = "late";
