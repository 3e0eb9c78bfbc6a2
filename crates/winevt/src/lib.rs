//! winevt
