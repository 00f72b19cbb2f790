mod authorize;
mod code_flow;
mod logout;
mod programs;
mod site;
mod token;
