//! Outer and inner training loops, without a disk
