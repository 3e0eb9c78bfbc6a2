// Web shells, by what they do: what a requester sends reaches what runs it, or
// what writes, loads or connects by its word. Never by names, nor by passwords.
//
// Most strings are looked for in the script as it reads (see rules/README.md):
// one statement a line, `x@input@` behind what the requester sent, `@checked@`
// where the script compares it with a list or a pattern, `@file@` behind a file
// that was sent, `@packed@` behind a string that had to be unpacked; in strings
// `_` is a blank and `{` an opening bracket.

rule evaluates_what_is_sent
{
    meta:
        id = "fddea325-000a-431a-8475-0d7a0ca5ea17"
        title = "Script that evaluates what the requester sends"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $eval = /\beval[ (][^\n]{0,400}@(input|checked)@/ nocase
        $execute = /(^|[^.>:$\w])(execute|executeglobal|execscript|execute_script)[ (][^\n]{0,400}@(input|checked)@/ nocase
        $assert = /(^|[^.>:$\w])(assert|create_function|evaluate|precisionevaluate)\([^\n]{0,400}@(input|checked)@/ nocase
        $replace = /\bpreg_replace\("[^"\n]{1,120}[^\w\s"]\w{0,6}e\w{0,6}",[^\n]{0,300}@(input|checked)@/
        $mb = /\bmb_ereg_replace\([^\n]{0,300}@(input|checked)@[^\n]{0,200},"[a-z]{0,4}e[a-z]{0,4}"/
        // Not the parameter of a function that is written there: `array_map(function($a) …`.
        $first = /\b(call_user_func(_array)?|array_map|register_shutdown_function|register_tick_function|ob_start|forward_static_call(_array)?|set_error_handler|ReflectionFunction)\(([^,\n(]|[^n,\n(]\(){0,120}@input@/
        $called = /\(\$?\w+(->\w+)?(\["?[^"\]\n]{0,60}"?\])?@input@(->\w+|\["?[^"\]\n]{0,60}"?\])?\)\(/
        $eval_text = /\b(eval|execute|executeglobal)[ (]{1,2}"[^"\n]{0,80}\brequest\b/ nocase
        $xpath = /\bregisterPHPFunctions\(/ nocase
        $created = /\b(sqliteCreateFunction|sqliteCreateAggregate|createFunction|fromCallable)\([^\n]{0,200}@input@/
        $function_made = /\bcreate_function\("[^"\n]{0,80}","[^"\n]{0,80}(eval|assert|system|exec|passthru)\{/
        $picture = /\b(exif_read_data|read_exif_data|iptcparse)\(/
        $picture_run = /\b(eval|assert|create_function)[ (][^\n]{0,60}\[/
        $awakes = /\b__(wakeup|destruct|toString|unserialize)\(/
        $awakes_call = /\b(call_user_func(_array)?|eval|assert|system)\([^\n]{0,20}\$this->|\$this->\w+\)?\(\$this->/
        $unserialised = /\bunserialize\([^\n]{0,200}@input@/
        $server_include = /<!--#exec (cmd|cgi)="[^"\n]{0,200}(QUERY_STRING|HTTP_|\$)/
        $prepended = /\bauto_(prepend|append)_file\b/
        $prepends = /"[^"\n]{0,40}\.(user\.ini|htaccess)"|\bini_set\(/
        $cold_included = /\bcfinclude template(@input@)?\s?=\s?"#[^"#\n]{0,60}#"@input@/ nocase
        $template = /\brender_template_string\([^\n]{0,200}@(input|checked)@/
        $uploaded = /\b(include|require)(_once)?[ (][^\n]{0,120}@file@/
        $callback = /\bFILTER_CALLBACK[^\n]{0,120}\$_(GET|POST|REQUEST|COOKIE)\b/
        $magic = /\b__(call(Static)?|invoke)(@input@)?\(/
        $magic_call = /(\$\w+(@input@)?|\))\(\.\.\.\$/
        $eval_value = /[:=,(\[](eval|execScript)[,})\];\n]/
        $dynamic = /(^|[^>:\w])\$\w+(\[[^\]\n]{0,60}\])?\([^\n]{0,200}@input@/
        $dangerous = /"(assert|system|shell_exec|passthru|popen|proc_open|create_function|call_user_func|eval)"/
        $control = /\bParseControl\([^\n]{0,200}@(input|checked)@/
        $fetched = /\b(Execute|ExecuteGlobal|Eval|eval)[ (][^\n]{0,200}(\.response(Text|Body)\b|(file_get_contents|fopen|curl_init|urlopen|DownloadString)\("https?:)/ nocase
        $known = /\b(call_user_func(_array)?|array_map|array_filter|array_walk(_recursive)?|array_reduce|usort|uasort|uksort|register_shutdown_function|iterator_apply|preg_replace_callback|ob_start|forward_static_call(_array)?|ReflectionFunction|array_udiff|array_uintersect|array_diff_ukey)\([^\n]{0,200}"(assert|eval|system|exec|shell_exec|passthru|popen|proc_open|create_function)"[^\n]{0,200}/
        $second = /\b(array_filter|usort|uasort|uksort|array_walk(_recursive)?|array_reduce|iterator_apply)\(([^\n()]|\([^\n()]{0,80}\)){1,200},[\\$]?\w+(\["?[^"\]\n]{0,60}"?\])?@input@(\[[^\]\n]{0,60}\])?[,)]/
        $variable = /(^|[^>:\w])\$\w+(\["?[^"\]\n]{0,60}"?\])?@input@(\[[^\]\n]{0,60}\])?\(/
        $named = /\$\{[^}\n]{1,80}\}\["?\w{1,20}"?\]\(/
        $jscript = /\bJScriptEvaluate\([^\n]{0,300}@(input|checked)@/
        $stream = /\b(include|require)(_once)?[ (]{0,2}"(data:|php:\/\/|https?:|ftp:|expect:|phar:)[^\n]{0,200}@input@/
        $temporary = /\b(include|require)(_once)?[ (]{0,2}(stream_get_meta_data\(|\$\w+\)?\n)/
        $include_page = /\b(Server\.(Execute|Transfer)|BuildManager\.\w+|LoadControl|cfinclude |include "[^"\n]{1,60}\.cfm"|pageContext\.(include|forward)\(|getRequestDispatcher\(|jsp:include )/
        $file_written = /\b(File\.(WriteAll(Text|Bytes)|AppendAllText)|fileWrite|Files\.(write|writeString))\([^\n]{0,300}@input@/
        $page_made = /\b(FileWriter|FileOutputStream|PrintWriter|RandomAccessFile|StreamWriter|CreateTextFile|SaveToFile)\b/
        $page_written = /@input@\.(write|print|println|Write|WriteLine|append)[ (][^\n]{0,200}@input@/
        $php_written = /\b(fwrite|fputs|file_put_contents)\([^\n]{0,300}@input@/
        $include = /\b(include|require)(_once)?[ (]{0,2}("php:\/\/input"|"data:[^"\n]{0,80}"|"\$\w{1,40}"|\$?\w+(\["?[^"\]\n]{0,60}"?\])?)@input@\)?\n/
        $included = /\b(include|require)(_once)?[ (]{1,2}(base64_decode|hex2bin|rawurldecode|urldecode|str_rot13|strrev|convert_uudecode|gzinflate|openssl_decrypt)\([^\n]{0,200}@input@/
        $generated = /\bnew Function\([^\n]{0,300}@(input|checked)@/
        $script_control = /\.(AddCode|ExecuteStatement|Eval)[ (][^\n]{0,300}@(input|checked)@/ nocase
        $expression = /\b(createValueExpression|createMethodExpression|parseExpression|Ognl\.\w+|MVEL\.\w+|executeExpression|Velocity\.evaluate|GroovyShell\(\)\.(evaluate|parse)|ELProcessor\(\)\.\w+)\([^\n]{0,300}@(input|checked)@/
        $constructor = /\.constructor(\.constructor)?(\(|\n|;)/
        $made = /\bincludes_what_it_names /
        $writes = /\b(Write|WriteLine|fwrite|file_put_contents|WriteAllText|WriteText)[ (][^\n]{0,300}@input@/ nocase
        $data_eval = /\bDataBinder\.Eval\(/
        $any = "@input@"
    condition:
        #eval > #data_eval or $execute or $assert or $replace or $mb or $first or $second or $variable or $named or $jscript or $include or $included or
        $generated or $script_control or $expression or (($known or $constructor) and $any) or ($made and $writes) or
        $function_made or ($picture and $picture_run) or ($awakes and $awakes_call and $unserialised) or $server_include or
        $eval_text or $cold_included or $template or ($xpath and $any) or $created or ($prepended and $prepends and $any) or $uploaded or
        $called or $callback or (($magic and $magic_call or $eval_value) and $any) or ($dynamic and $dangerous) or $control or $fetched or $stream or
        ($include_page and ($file_written or ($page_made and $page_written))) or ($temporary and $php_written)
}

rule loads_code_that_is_sent
{
    meta:
        id = "39b3199b-6050-4f1d-8702-c1d5e86e1f47"
        title = "Script that loads program code the requester sends"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, attack.t1620, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $assembly = /\b(Assembly|AppDomain|CurrentDomain|AssemblyLoadContext)(\.\w+|\(\)){0,3}\.(Unsafe)?Load(From|File|FromStream|FromAssemblyPath|WithPartialName|Module)?\([^\n]{0,400}@(input|checked)@/
        $context = /\.LoadFromStream\([^\n]{0,300}@(input|checked)@/
        $compiled = /\bCompileAssemblyFrom(Source|Dom|File)\([^\n]{0,400}@(input|checked)@/ nocase
        $syntax = /\b(CSharpScript\.(EvaluateAsync|RunAsync|Create)|SyntaxFactory\.ParseSyntaxTree|CSharpSyntaxTree\.ParseText)\([^\n]{0,300}@(input|checked)@/
        $java = /\b(defineClass|defineAnonymousClass|URLClassLoader|GroovyClassLoader|parseClass)\d?\([^\n]{0,300}@(input|checked)@/
        $invoked = /\.(Invoke|InvokeMember|invoke|newInstance|CallByName)\([^\n]{0,300}@(input|checked)@/
        $downloaded = /\bLoad\([^\n]{0,160}\bDownloadData(Async)?\(/
        $class_sent = /\b(forName|GetType|loadClass|CreateInstance(From)?|CreateObject|GetTypeFromProgID)\(([^\n()]|\([^\n()]{0,60}\)){1,120}@input@/
        $method_sent = /\b(getMethod|GetMethod|getDeclaredMethod|InvokeMember|CallByName)\(([^\n(),]|\([^\n()]{0,60}\)){1,120}@input@/
        $cold_loader = /"java\.net\.URLClassLoader"\)\.init\([^\n]{0,200}@input@/
        $java_compiler = /\b(getSystemJavaCompiler|JavaCompiler|JavacTask|InMemoryJavaCompiler|SimpleCompiler|ScriptEvaluator)\b/
        $java_loads = /\b(loadClass|URLClassLoader|defineClass|cook)\b/
        $late = /\bCallByName\([^\n]{0,300}@(input|checked)@/ nocase
        $method = /\b(GetMethod|getMethod|getDeclaredMethod|InvokeMember|GetMethods|getMethods)\(/
        $delegate = /\bCreateDelegate\([^\n]{0,200}\bProcess\b[^\n]{0,80}"Start"/
        $input = "@input@"
        $telling = /"(CompileAssemblyFrom(Source|File|Dom)|JScriptEvaluate|Load|Start|exec|defineClass|CreateInstance|Run|ShellExecute|Invoke|eval|getRuntime|start|UnsafeLoad)"/
        $php = /\b(FFI::(cdef|load)|dl)\([^\n]{0,200}@(input|checked)@/
        $extension = /\bdl\(\$?\w+@(name|file|input)@\)/
        $ffi = /\bFFI::(cdef|load)\(/
        $preload = /\bputenv\("LD_PRELOAD=/
        // The domain or the assembly under another name.
        $load = /\.(Unsafe)?Load(From|File|Module)?\([^\n]{0,200}@(input|checked)@/
        $load_word = /\b(CurrentDomain|EntryPoint|System\.Reflection|GetExportedTypes|GetTypes\(\))\b/
    condition:
        $assembly or $context or $compiled or $syntax or $java or $late or $php or $extension or $cold_loader or (($ffi or $preload) and $input) or ($load and $load_word) or $downloaded or
        ($class_sent and $method_sent) or ($java_compiler and $java_loads and $input) or ($delegate and $input) or ($invoked and $method and $telling)
}

rule runs_commands_that_are_sent
{
    meta:
        id = "d0462726-1dae-4755-b7e3-7e1576fb9090"
        title = "Script that runs commands the requester sends"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, attack.t1059, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $start = /\bProcess(@input@)?\.Start\([^\n]{0,400}@input@/
        $info = /\bProcessStartInfo\([^\n]{0,400}@input@/
        $info_later = /\b\w+@input@\.(Arguments|FileName|StartInfo\.(Arguments|FileName))=[^\n]{0,300}@input@/
        $fields = /\b(Arguments|FileName)=[^\n]{0,200}@input@/
        $process_word = /\bProcess(StartInfo)?\b/
        $vb_shell = /(^|[^.\w]|\bInteraction\.)Shell\([^\n]{0,300}@input@/ nocase
        $com = /\.(Exec|Run|ShellExecute)[ (][^\n]{0,300}@input@/ nocase
        $com_object = /(WScript\.Shell|Shell\.Application|WshShell|WScript\.Shell\.1|72C24DD5-D70A-438B-8A42-98424B88AFB8|13709620-C279-11CE-A49E-444553540000)/ nocase
        $java = /\.exec\([^\n]{0,400}@input@/
        $java_word = /\b(Runtime|getRuntime)\b/
        $builder = /\b(ProcessBuilder\(|\w+(@input@)?\.command\()[^\n]{0,400}@input@/
        $php = /(^|[^.\w>:$]|["\])]\.|(^|[^:]):)(system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|expect_popen|win_shell_execute|wscript_exec)[ (][^\n]{0,400}@input@/
        $perl = /\bopen\(\w+,\s*"[^"\n]{0,200}\|_*"@input@/
        $perl_list = /\bopen\([^\n]{0,60},"-\|",[^\n]{0,200}@input@/
        $cold = /\bcfexecute[ (][^\n]{0,400}@input@/ nocase
        $python = /\b(os\.system|os\.popen|subprocess\.\w+|commands\.getoutput|child_process\.\w+|execSync|spawnSync)\([^\n]{0,300}@input@/
        $python_late = /\b(import_module|__import__)\([^\n]{0,40}"(subprocess|os|commands)"/
        $python_runs = /\.(check_output|check_call|Popen|getoutput|run|call|system|popen)\([^\n]{0,200}@input@/
        $python_written = /\.write\([^\n]{0,200}@input@/
        $python_executable = /\b(os\.chmod|S_I[RXW]{1,3}U)\b/
        $python_started = /\b(os\.(system|popen|exec\w+|spawn\w+)|subprocess\.\w+)\(/
        $script_host = /\bProcess\.Start\("(cscript|wscript|powershell|pwsh|mshta|msbuild|csc|vbc|node|python|cmd)[^"\n]{0,20}",[^\n]{0,60}[&+]/ nocase
        $script_written = /\bFile\.(WriteAll(Text|Bytes)|AppendAllText)\([^\n]{0,200}@input@/
        $powershell = /\.(AddScript|InvokeScript|AddCommand|CreatePipeline|CreateNestedPipeline)\([^\n]{0,300}@(input|checked)@/
        $wmi = /\b(Win32_Process|InvokeMethod)[^\n]{0,200}@input@/
        $wmi_class = /Win32_Process/
        $wmi_call = /\.(InvokeMethod|Create|ExecMethod_?)[ (][^\n]{0,300}@input@/
        $task = /\bRegisterTaskDefinition\(|"Schedule\.Service"/
        // What an import calls by its own name.
        $import = /\bDllImport\(|\bDeclare\s+(PtrSafe\s+|Auto\s+|Ansi\s+|Unicode\s+)?(Function|Sub)\b/
        $imported = /\b(_?w?system|WinExec|ShellExecute(Ex)?[AW]?|CreateProcess(AsUser|WithLogon|WithToken)?[AW]?|_?w?popen|execve?p?)\b/
        // What starts programs, as a value of its own, or named in a string.
        $group = /\bProcess\.Start(\n|[,;)@ ])/
        $by_name = /"(System\.Diagnostics\.Process|java\.lang\.(Runtime|ProcessBuilder|ProcessImpl|UNIXProcess)|javax\.script\.ScriptEngineManager)[",]|\btypeof\((\w+\.)*Process\)|\bGetType\((\w+\.)*Process\)|\b(Runtime|ProcessBuilder)\.class\b/
        $start_name = /"Start"/
        $process_made = /\bnew (\w+\.)*Process\(/ nocase
        $stdin = /\bStandardInput(\.BaseStream)?\.Write(Line)?(Async)?\([^\n]{0,300}@input@/ nocase
        $mail = /\bmail\([^\n]{0,300}"-(be|X|O|C)/
        $database = /xp_cmdshell|sp_oacreate|sys_eval|sys_exec/ nocase
        $input = "@input@"
        // Input that is checked may still be handed to a shell.
        $checked = /\b(Process\.Start|ProcessStartInfo|Shell|exec|system|shell_exec|passthru|popen|proc_open|ProcessBuilder|Run|Arguments)\b[ (=][^\n]{0,300}@checked@/ nocase
        $shell = /"[^"\n]{0,60}(cmd(\.exe)?["_]|\/bin\/(ba)?sh|powershell|\/c_)/ nocase
    condition:
        $start or $info or ($process_word and ($info_later or $fields)) or ($fields and ($task or $shell)) or ($import and $imported and $input) or $vb_shell or ($com and ($com_object or $shell)) or
        ($java and $java_word) or $builder or $php or $perl or $perl_list or $cold or $python or $powershell or
        $wmi or ($wmi_class and $wmi_call) or ($database and $input) or ($checked and $shell) or $stdin or ($python_late and $python_runs) or ($script_host and $script_written) or ($python_written and $python_executable and $python_started) or
        (($group or $by_name or $mail or ($start_name and $process_made)) and $input)
}

rule makes_an_administrator
{
    meta:
        id = "9b8e320f-71cd-4dc8-a4e9-bb3312c5460c"
        title = "Page that makes an administrator of a content system for whoever asks"
        level = "high"
        tags = "attack.persistence, attack.t1136, attack.t1505.003, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
    strings:
        $user = /\b(wp_create_user|wp_insert_user)\(([^\n()]|\([^\n()]{0,60}\)){0,200}@input@/
        $role = /"administrator"/
        $check = /\b(current_user_can|check_admin_referer|check_ajax_referer|wp_verify_nonce|is_admin)\b/
    condition:
        $user and $role and not $check
}

rule shell_script_that_runs_what_is_sent
{
    meta:
        id = "0e4b02dd-1526-4a49-afe2-9e6d613896ea"
        title = "CGI script of a shell that runs what the requester sends"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, attack.t1059.004, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
    strings:
        $first = /^#!\s{0,4}\/(usr\/)?(local\/)?bin\/(env )?(ba|da|k|z|a|c|tc)?sh\b/
        $input = /\$\{?(QUERY_STRING|HTTP_[A-Z_]{1,40}|REQUEST_URI|PATH_INFO)\b/
        $stdin = /\bread {1,8}(-r {1,8}|-n {1,4}\S+ {1,8}){0,2}[a-zA-Z_]{1,20}\b|\bcat\b\s{0,2}(-|\)|\|)|head -c/
        $length = "CONTENT_LENGTH"
        $answer = /\b(echo|printf)\b[^\n]{0,20}Content-[Tt]ype:/
        $runs = /\b(eval|(ba|da|k|z)?sh -c|exec)\s{1,20}["'$(`]|\|\s{0,4}(\/(usr\/)?bin\/)?(ba|da|k|z)?sh\b|\n[ \t]{0,20}("?\$\(|`|"?\$[a-zA-Z_]{1,20}"?[ \t]{0,4}(2>&1)?[ \t]{0,4}(\n|$))|<\(/
    condition:
        $first at 0 and $runs and ($input or ($stdin and ($length or $answer)))
}

rule shell_script_that_writes_what_is_sent
{
    meta:
        id = "7d8a0f35-7b1b-4f0c-93a5-5c2f5f5d1b64"
        title = "CGI script of a shell that writes a file where the requester says"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1105, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
    strings:
        $first = /^#!\s{0,4}\/(usr\/)?(local\/)?bin\/(env )?(ba|da|k|z|a|c|tc)?sh\b/
        $input = /\$\{?(QUERY_STRING|HTTP_[A-Z_]{1,40}|REQUEST_URI|PATH_INFO)\b/
        // What comes in, as it is, into a file whose name is a variable alone.
        $writes = /\b(cat|head -c \S{1,40}|base64 -d|xxd -r -p|tee)\s{0,4}(-\s{0,4})?>{1,2}\s{0,4}"?\$\{?[A-Za-z_0-9]{1,20}\}?"?\s{0,4}[\n;]|\bdd [^\n]{0,60}of="?\$/
    condition:
        $first at 0 and $input and $writes
}

rule writes_files_that_are_sent
{
    meta:
        id = "0e6a3619-ba13-4a11-bf0e-658ce3a35cda"
        title = "Script that writes a file where the requester says"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1105, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $net = /\b(File\.(WriteAll(Text|Bytes|Lines)|Append(AllText|AllLines|Text)|Create(Text)?|OpenWrite)|StreamWriter|BinaryWriter)\(((\w+\.)*(Path\.)?Combine\(([^\n()]|\([^\n()]{0,80}\)){0,200}|[^,\n]{0,200})@input@/
        $moved = /\b(File\.(Move|Copy)|Files\.(move|copy))\([^,\n]{0,200},[^\n]{0,160}@input@/
        $incoming = /\bRequest\.SaveAs\(|\bGetTempFileName\(|\bcreateTempFile\(/
        $python_open = /\bopen\([^\n]{0,200}@(input|file)@[^\n]{0,80},"[wax]b?\+?"/
        $perl_open = /\bopen[ (](my )?\$?\w+,"[+>]{1,3}[^"\n]{0,20}"(,[^\n]{0,200})?@input@/
        $stream = /\bFileStream\(((\w+\.)*Combine\([^\n()]{0,200}|[^,\n]{0,200})@input@[^\n]{0,60},\s*(\w+\.)*FileMode\.(Create|CreateNew|OpenOrCreate|Append|Truncate)/
        $save = /\.(SaveAs|SaveToFile|saveTo|WriteToFile)(@file@|@input@)?[ (][^\n]{0,200}@input@/ nocase
        $asp = /\.(CreateTextFile|SaveToFile)[ (][^,\n]{0,200}@input@/ nocase
        $asp_open = /\.OpenTextFile[ (][^,\n]{0,200}@input@[^,\n]{0,20},\s*(2|8|ForWriting|ForAppending)/ nocase
        $java = /\b(FileOutputStream|FileWriter|PrintWriter|RandomAccessFile|Files\.(write|writeString|newOutputStream|newBufferedWriter))\([^,\n]{0,200}@input@/
        $java_file = /\b(FileOutputStream|FileWriter|PrintWriter|RandomAccessFile)\(new (java\.io\.)?File\([^,\n]{0,80},[^\n]{0,80}@input@/
        $java_copy = /\b(Files\.copy|transferTo|\w+\.write)\([^\n]{0,120}(File|Path|Paths\.get)\([^\n]{0,200}@input@/
        $php = /\bfile_put_contents\([^,\n]{0,200}@input@/
        $php_open = /\bfopen\([^,\n]{0,200}@input@[^,\n]{0,20},"[waxc+][wb+]{0,3}"/
        $php_move = /\b(move_uploaded_file|copy|rename)\([^\n]{0,200},[^\n]{0,200}@input@/
        $php_log = /\bfile_put_contents\("[^"\n]{1,200}\.(php\d?|phtml|asp|aspx|ashx|jspx?|cfm)"[^\n]{0,300}@(input|file)@/ nocase
        $any_script = /\b(File\.(WriteAll(Text|Bytes|Lines)|AppendAllText|Create(Text)?|OpenWrite)|StreamWriter|FileOutputStream|FileWriter|CreateTextFile|SaveToFile|SaveAs)(@file@|@input@)?[ (][^\n]{0,200}\.(aspx?|ashx|asmx|jspx?|php\d?|cfm|asax|dll|exe|ps1|bat|vbs)"[^\n]{0,300}@(input|file)@/ nocase
        $cold = /\bcffile [^\n]{0,200}action(@input@)?\s?=\s?"(write|append)"[^\n]{0,200}\bfile(@input@)?\s?=\s?"[^"\n]{0,160}"@input@/ nocase
        $cold_page = /\bcffile [^\n]{0,80}="write"[^\n]{0,200}\.(cfm|cfc)[^\n]{0,200}@input@/ nocase
        $made = /"<(\?php|\?|%)[^"\n]{0,80}"[.+&][^\n]{0,80}@input@/
        $cold_upload = /\bcffile [^\n]{0,200}action\s?=\s?"upload"[^\n]{0,200}\bdestination\s?=\s?[^\n]{0,100}@input@/ nocase
        $stream_saved = /\w@input@\.(SaveToFile|SaveAs|Save)[ (][^\n]{0,120}\.(aspx?|ashx|asmx|asa|cer|jspx?|php\d?|cfm|asax|dll|exe)"/ nocase
        $php_self = /\bfile_put_contents\((__FILE__|\$_SERVER\["(SCRIPT_FILENAME|PATH_TRANSLATED)"\])[^\n]{0,200}@input@/
        $php_fetch = /\bcopy\(\$_(GET|POST|REQUEST|COOKIE)[^,\n]{0,80}@input@,[^\n]{0,200}@(name|input)@/
        $cold_write = /\b(fileWrite|fileAppend)\([^,\n]{0,200}@input@/ nocase
        $cold_java = /"java\.io\.(FileOutputStream|FileWriter|RandomAccessFile|PrintWriter)"\)\.init\([^\n]{0,200}@input@/ nocase
        $registry = /\bRegistry(Key)?(\.\w+)?\.SetValue\([^,\n]{0,120}@input@/
        $by_name = /\bGetMethod\("(WriteAllBytes|WriteAllText|AppendAllText|WriteAllLines|SaveAs)"/
        $by_name_sent = /\.Invoke\([^\n]{0,200}@input@/
        $late_save = /\bCallByName\([^\n]{0,60}"(SaveAs|SaveToFile|WriteAllText|WriteAllBytes)"[^\n]{0,200}@(input|file)@/ nocase
        $fetched = /\b(DownloadFile(Async)?|URLDownloadToFile)\([^\n]{0,200},[^\n]{0,200}@input@/ nocase
    condition:
        (any of ($net, $stream, $save, $asp, $asp_open, $java, $java_copy, $java_file, $php*, $any_script, $cold*, $made, $perl_open, $python_open, $stream_saved, $registry, $fetched)) or
        ($moved and $incoming) or ($by_name and $by_name_sent) or $late_save
}

rule takes_any_upload
{
    meta:
        id = "5708c243-ef1f-40e1-a33b-7c60119d0a73"
        title = "Page that takes any file under the name it is sent with"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1105, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $save = /\.SaveAs(@file@|@input@)?\([^\n]{0,240}@(file|name)@/
        $write = /\b(File\.(WriteAllBytes|OpenWrite|Create|Open|AppendAllBytes)|FileStream|FileOutputStream|Files\.copy|transferTo)\([^\n]{0,240}@(file|name)@/
        $php = /\b(move_uploaded_file|copy)\([^\n]{0,200}@file@[^\n]{0,60},[^\n]{0,200}@(file|name)@/
        $cold = /\bcffile [^\n]{0,200}action\s?=\s?"upload"/ nocase
        $python = /@file@\.save\([^\n]{0,200}@file@/
        $extract = /@(input|file)@(\.|->)(ExtractToDirectory|extractTo|extractall)\(/ nocase
        $check = /GetExtension|PATHINFO_EXTENSION|ContentType|ContentLength|getContentType|getSize\(|allowed|\baccept\b|valid|\.(jpe?g|png|gif|pdf|docx?|csv|xlsx?|zip|txt)"|IsInRole|IsAuthenticated|getimagesize|finfo|mime|antiforgery|is_user_logged_in|isUserInRole|Guid\.NewGuid|uniqid|secure_filename|Session\[|\$_SESSION|getSession|EndsWith|session_start|\["size"\]|\["type"\]/ nocase
    condition:
        ($save or $write or $php or $cold or $extract or $python) and not $check
}

rule manages_files
{
    meta:
        id = "561c59cb-23d1-439b-bbd3-77f1ff4c24f2"
        title = "Script by which the requester lists, reads, moves and deletes any file"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1083, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $list = /\b(Directory\.(GetFiles|GetDirectories|GetFileSystemEntries|EnumerateFiles|EnumerateDirectories|EnumerateFileSystemEntries)|DirectoryInfo|GetFolder|scandir|opendir|glob|dir|listFiles|listdir|os\.walk|readdir|Files\.list|DirectoryIterator|chdir)[ (][^\n]{0,200}@input@/ nocase
        $list_object = /@input@\.(GetFiles|GetDirectories|GetFileSystemInfos|listFiles|list|SubFolders|Files)\b/ nocase
        $read = /\b(File\.(ReadAll(Text|Bytes|Lines)|OpenRead|OpenText|Open)|StreamReader|FileInputStream|FileReader|TransmitFile|WriteFile|OpenTextFile|LoadFromFile|file_get_contents|readfile|show_source|highlight_file|Files\.read\w+|fopen|open|file|FileStream|RandomAccessFile)[ (][^\n]{0,200}@input@/ nocase
        $delete = /\b(File\.Delete|Directory\.Delete|DeleteFile|DeleteFolder|unlink|rmdir|os\.remove|shutil\.rmtree|Files\.delete\w*)[ (][^\n]{0,200}@input@/ nocase
        $delete_object = /@input@\.(Delete|delete|deleteOnExit)\(/
        $move = /\b(File\.(Move|Copy)|Directory\.Move|MoveFile|MoveFolder|CopyFile|CopyFolder|rename|renameTo|copy|os\.rename|Files\.move)[ (][^\n]{0,200}@input@/ nocase
        $make = /\b(Directory\.CreateDirectory|CreateFolder|mkdirs?|makedirs)[ (][^\n]{0,200}@input@/ nocase
        $stamp = /\b(SetLastWriteTime\w*|SetCreationTime\w*|SetLastAccessTime\w*|touch|setLastModified|chmod|chown|SetAttributes)[ (][^\n]{0,200}@input@/ nocase
        $drives = /\b(DriveInfo\.GetDrives|GetLogicalDrives|listRoots|\.Drives)\b/ nocase
    condition:
        ((($list or $list_object) and $read) and ($delete or $delete_object or $move or $make or $stamp or $drives)) or
        (($delete or $delete_object) and $move and ($make or $stamp or $read)) or
        (($list or $list_object) and ($delete or $delete_object) and ($move or $make or $stamp or $read or $drives))
}

rule reads_any_folder
{
    meta:
        id = "66d15628-2a6e-4c7c-a1ec-85323d3941f8"
        title = "Script that lists folders and shows files the requester names"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1083, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        // Without a folder of its own before what is sent.
        $list = /\b(Directory\.(GetFiles|GetDirectories|GetFileSystemEntries)|DirectoryInfo|GetFolder|scandir|opendir|new File)\(\$?\w+(\.\w+)?((\[|\()"[^"\n]{0,40}"(\]|\)))?@input@\)/ nocase
        $listed = /\b(GetFiles|GetDirectories|GetFileSystemInfos|GetFileSystemEntries|SubFolders|listFiles|scandir|readdir)\b/ nocase
        $read = /\b(File\.(ReadAll(Text|Bytes|Lines)|OpenRead|OpenText)|StreamReader|FileInputStream|FileReader|OpenTextFile|TransmitFile|WriteFile|file_get_contents|readfile|highlight_file|show_source)\(\$?\w+(\.\w+)?((\[|\()"[^"\n]{0,40}"(\]|\)))?@input@[,)]/ nocase
        $map = /MapPath|getRealPath|__DIR__|DOCUMENT_ROOT/ nocase
    condition:
        $list and $listed and $read and not $map
}

rule relays_connections
{
    meta:
        id = "c1f370e4-0b4c-45f9-a8aa-d7dc64c4af8d"
        title = "Script that connects where the requester says and relays what passes"
        level = "high"
        tags = "attack.command-and-control, attack.t1505.003, attack.t1090, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $net = /\b(TcpClient|Socket|IPEndPoint|DnsEndPoint|\w+(@input@)?\.(Connect|BeginConnect|ConnectAsync))\([^\n]{0,300}@(input|checked)@/
        $java = /\b(InetSocketAddress|Socket|SocketChannel\.open)\([^\n]{0,300}@(input|checked)@/
        $php = /\b(fsockopen|pfsockopen|stream_socket_client|socket_connect)\([^\n]{0,300}@(input|checked)@/
        $python = /\.connect\(\([^\n]{0,200}@input@/
        $received = /(\b|[\]@)])(\w*(@input@)?\.(Receive|EndReceive|GetStream|getInputStream|recv|ReceiveAsync)\(|socket_read|socket_recv|fread|fgets|stream_get_contents|stream_copy_to_stream|\w+(@input@)?\.read\()/
        $sent = /\b(BinaryRead|InputStream|getInputStream|getReader|php:\/\/input|Headers|getHeader|HTTP_\w+|cookies?|getParameter|ReadInput|FromBase64String|base64_decode|Files|Form)\b/ nocase
        $kept = /\b(Session|Application|Cache|getSession|setAttribute|application|static|session_start)\b/
        // Requests of another server, whoever it is, with the body that came.
        $http = /\b(WebRequest\.Create(Http)?|HttpWebRequest|new URL)\([^\n]{0,200}@input@/
        $http_body = /\b(GetRequestStream|getOutputStream)\(/
        $http_back = /\b(GetResponseStream|getInputStream)\(/
        $http_named = /(Headers|getHeader|Cookies)(\[|\()"[^"\n]{1,40}"(\]|\))@input@/
        $http_trusts = /ServerCertificateValidationCallback|HostnameVerifier|X509TrustManager|FromBase64String|getDecoder|BASE64Decoder/
    condition:
        (($net or $java or $php or $python) and $received and $sent and $kept) or
        ($http and $http_body and $http_back and $http_named and $http_trusts)
}

rule transforms_what_is_sent
{
    meta:
        id = "0f405f07-333f-4722-ad6d-7bb17ce3b356"
        title = "Script that runs a style sheet with script the requester sends"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, attack.t1220, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $transform = /\b(XslCompiledTransform|XslTransform|Xsl\.XslCompiledTransform|transformNode(ToObject)?|IXSLProcessor|XSLTemplate|TransformerFactory|XSLTProcessor)\b/
        $trusted = /TrustedXslt|XsltSettings\([^,\n]{0,60},\s?(\w{0,20}\s?:=?\s?)?[Tt]rue|EnableScript\s?=\s?true|AllowXsltScript|registerPHPFunctions|XsltSettings\(\)/
        $old = /\bXslTransform\(/
        $loaded = /\.(Load|LoadXml|loadXML|importStylesheet|newTransformer|newTemplates|importStyleSheet)\([^\n]{0,300}@(input|checked)@/ nocase
        $node = /\.transformNode\([^\n]{0,200}@(input|checked)@/ nocase
        $script = /msxsl:script|urn:schemas-microsoft-com:xslt/
    condition:
        $transform and (($loaded and ($trusted or $old or $script)) or $node)
}

rule deserialises_what_is_sent
{
    meta:
        id = "5d326aa9-913b-4577-b20b-944fb58d487e"
        title = "Script that makes objects of what the requester sends"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $net = /\b(BinaryFormatter|LosFormatter|ObjectStateFormatter|NetDataContractSerializer|SoapFormatter)\b/
        $net_call = /\.(Deserialize|UnsafeDeserialize)\([^\n]{0,300}@(input|checked)@/
        $java = /\b(ObjectInputStream|XMLDecoder)\([^\n]{0,300}@(input|checked)@/
        $java_call = /\.readObject\(/
        $xaml = /\b(XamlReader|XamlServices)\.(Parse|Load)\([^\n]{0,300}@(input|checked)@/
        $activity = /\b(ActivityXamlServices\.Load|ResourceReader|ResXResourceReader|ResXResourceSet)\([^\n]{0,300}@(input|checked)@/
        $typed = /\bTypeNameHandling\.(All|Objects|Auto|Arrays)\b/
        $typed_call = /\bDeserializeObject(<\w+>)?\([^\n]{0,300}@(input|checked)@/
        $lookup = /\bInitial(Dir|Ldap)?Context\([^\n]{0,40}\.lookup\([^\n]{0,200}@input@/
        $bcel = /\bforName\([^\n]{0,200}@input@[^\n]{0,120}\bbcel\b/
        $python = /\b(c?pickle|dill|marshal|jsonpickle|shelve)\.(loads?|decode)\([^\n]{0,200}@input@|\byaml\.(load|unsafe_load|full_load)\([^\n]{0,200}@input@/ nocase
        $yaml = /\bnew Yaml\(\)\.load\([^\n]{0,200}@input@/
    condition:
        ($net and $net_call) or ($java and $java_call) or $yaml or $xaml or $activity or ($typed and $typed_call) or $lookup or $bcel or $python
}

rule runs_packed_code
{
    meta:
        id = "e09aae92-8a45-4261-8b91-5141a7811210"
        title = "Script that unpacks code and runs it"
        level = "high"
        tags = "attack.defense-evasion, attack.t1505.003, attack.t1027, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $page = /\b(file_put_contents|fwrite|fputs)\([^\n]{0,200}"<\?/
        $packed = "@packed@"
        $page_run = /\b(include|require)(_once)?[ (]/
        $folded = /(^|[^.\w])(eval|assert|execute|executeglobal|create_function)[ (][^\n]{0,4000}@packed@/ nocase
        $calls = /(^|[^.\w])(eval|assert|create_function)\((@?"?\w*"?,)?@?("[^"\n]{0,10}"\.)?(\w+\(){0,4}(base64_decode|gzinflate|gzuncompress|gzdecode|str_rot13|convert_uudecode|openssl_decrypt|mcrypt_decrypt|hex2bin|rawurldecode|strrev)\(/ nocase
        $loaded = /\bAssembly\.Load\([^\n]{0,200}(FromBase64String|@packed@)/
        $java = /\bdefineClass\([^\n]{0,300}(@packed@|decodeBuffer|getDecoder|BASE64Decoder|decodeBase64)/
        $named = /(^|\n|[=;( ]|@)(system|exec|shell_exec|passthru|eval|assert)"@packed@/
        // A name that was put together from pieces and then called, with what is sent.
        $input = "@input@"
    condition:
        $folded or $calls or $loaded or $java or ($page and $packed and $page_run) or ($named and $input)
}

rule injects_machine_code
{
    meta:
        id = "b6b324ae-deb1-4460-954d-b4ee836a6783"
        title = "Server page that puts machine code into memory and starts it"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, attack.t1055, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $room = /\b(VirtualAlloc(Ex)?|NtAllocateVirtualMemory|VirtualProtect(Ex)?|HeapCreate|MapViewOfFile)\(/
        $start = /\b(Create(Remote)?Thread|NtCreateThreadEx|QueueUserAPC|EnumSystemLocales[AW]?|GetDelegateForFunctionPointer|RtlCreateUserThread|WriteProcessMemory)\b/
        $import = /\bDllImport\b|\bDeclare\s+(Auto|Ansi|Unicode)?\s?(Function|Sub)\b/
    condition:
        $room and $start and $import
}

rule hands_a_shell_out
{
    meta:
        id = "55f98d4e-5644-49ba-9041-cf1c6b2566be"
        title = "Server page that connects a command interpreter to a network socket"
        level = "critical"
        tags = "attack.execution, attack.t1505.003, attack.t1059, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $socket = /\b(TcpClient|WSASocket[AW]?|WSAConnect|new Socket|fsockopen|stream_socket_client|socket_create|\.Connect\(|socket\.socket|create_connection|IO::Socket::INET)\b/
        $shell = /"[^"\n]{0,40}(cmd(\.exe)?"|\/bin\/(ba|da)?sh|powershell(\.exe)?)/ nocase
        $streams = /RedirectStandardInput|hStdInput|proc_open|getOutputStream|STARTUPINFO|subprocess|dup2|open\(STDIN/
        $run = /\bProcess\.Start\b|\.Start\(\)|\b(CreateProcess\w*|proc_open|shell_exec|exec|popen|ProcessBuilder|subprocess\.\w+)\b/
    condition:
        $socket and $shell and $streams and $run
}

rule command_page
{
    meta:
        id = "277134b6-5b6f-4866-a8c7-e8ceeb3406b4"
        title = "Server page that runs a command interpreter and shows what it prints, with input around"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1059, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $shell = /"[^"\n]{0,40}(\bcmd(\.exe)?["_]|\/bin\/(ba)?sh|powershell(\.exe)?)/ nocase
        $run = /\bProcess\.Start\b|\.Start\(\)|\b(CreateProcess\w*|proc_open|shell_exec|popen|ProcessBuilder|getRuntime|WScript\.Shell)\b/
        $output = /RedirectStandardOutput|StdOut\.ReadAll|getInputStream|stream_get_contents|fgets|fread/
        $input = /@(input|checked)@/
    condition:
        all of them
}

rule database_console
{
    meta:
        id = "772582ff-d238-4033-a0b5-b9c6041fa3a0"
        title = "Script that connects to any database and runs any query the requester sends"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1005, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $connect = /\b(SqlConnection|OleDbConnection|OdbcConnection|OracleConnection|MySqlConnection|DriverManager\.getConnection|DBI->connect|mysqli?(_connect)?|mysql_connect|mssql_connect|PDO|pg_connect|\w+(@input@)?\.Open)[ (][^\n]{0,300}@input@/
        // All that was sent is the query.
        $body = /=(trim\(|base64_decode\(|urldecode\(){0,3}file_get_contents\("php:\/\/input"@input@\){1,4}\n/
        $body_query = /\b(mysqli?|pg|sqlite|odbc|mssql)_(query|exec|multi_query)\((\$\w+(@input@)?,)?\$\w+@input@\)/
        // No query of its own: what is sent is one.
        $database = /\b(mysqli|PDO|SqlConnection|OleDbConnection|OdbcConnection|DriverManager|DBI|ADODB\.Connection|(mysql|pg|mssql|odbc|sqlite)_connect|cfquery|new query)\b/ nocase
        $sent_query = /(->|\.|_)(query|exec|execute|prepare|multi_query|executeQuery|executeUpdate|setSQL|selectall_\w+|do|open)\((\$\w+,)?[\w$.>-]{1,60}(\[[^\]\n]{0,60}\])?@input@|\bCommandText=[\w.]{1,60}@input@/ nocase
        $own_query = /["_](select|insert|update|delete|replace|call|exec|show|describe|create|merge|with)_/ nocase
        $perl_method = /->\$\w+\([^\n]{0,120}@input@/
        $parsed = /\b(json_decode|simplexml_load_string|parse_str|explode)\(/
        $query = /\bCommandText=[^\n]{0,200}@input@|\b(SqlCommand|OleDbCommand|OdbcCommand|SqlDataAdapter|OleDbDataAdapter|executeQuery|executeUpdate|execute|mysqli?_query|pg_query|mssql_query|query|Execute)[ (][^\n]{0,300}@input@/
    condition:
        ($connect and ($query or $perl_method)) or ($database and $sent_query and not $own_query) or ($body and $body_query and not $parsed)
}

rule implants_in_memory
{
    meta:
        id = "a38e8b5a-37de-493f-b993-63470a5a09bb"
        title = "Page that adds a filter, servlet or path provider to the running server"
        level = "high"
        tags = "attack.persistence, attack.t1505.003, attack.t1620, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $java_context = /\b(StandardContext|ApplicationContext|StandardHost|StandardEngine|getPipeline)\b/
        $java_adds = /\b(addFilterDef|addFilterMap(Before)?|addServletMapping(Decoded)?|addApplicationEventListener|createWrapper|addValve|ApplicationFilterConfig)\b/
        $java_reflects = /\b(getDeclaredField|setAccessible)\(/
        $net_provider = /\b(RegisterVirtualPathProvider|VirtualPathProvider)\b/
        $net_route = /\b(GlobalFilters\.Filters\.Add|RouteTable\.Routes\.(Insert|Add)|HostingEnvironment\.RegisterVirtualPathProvider|AddPrefix|Prefixes\.Add)\(/
        $net_runs = /\b(Process\.Start|Assembly\.Load|RegisterVirtualPathProviderInternal|FromBase64String|ProcessStartInfo)\b/
    condition:
        ($java_context and $java_adds and $java_reflects) or (($net_provider or $net_route) and $net_runs)
}

rule shows_machine_keys
{
    meta:
        id = "7329377a-c032-438f-9494-18fa7b618803"
        title = "Page that reads the server's machine keys"
        level = "high"
        tags = "attack.credential-access, attack.t1505.003, attack.t1552, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
        looks_at = "script"
    strings:
        $section = /\bMachineKeySection\b|system\.web\/machineKey/
        $keys = /\b(ValidationKey|DecryptionKey)\b/
        $written = /\b(Response\.Write|\.Write)\(/
    condition:
        all of them
}

rule virtual_directory_listing_with_script
{
    meta:
        id = "ca80dbb2-08c4-4201-8ef4-1647817dcc73"
        title = "Listing of a virtual directory whose address holds script"
        level = "critical"
        tags = "attack.persistence, attack.t1505.003, cve.2021-27065, assay.shell-found"
        author = "assay"
        date = "2026-11-24"
    strings:
        $url = /(External|Internal)Url\s{0,40}:\s{0,40}[^\r\n]{0,200}(\r?\n[ \t]{2,}[^\r\n]{0,200}){0,4}(<script|<%|%3Cscript|runat\s{0,2}=|<object)/ ascii wide nocase
        $p1 = /(ClientAuthentication|InternalAuthentication|ExternalAuthentication)Methods\s{0,40}:/ ascii wide
        $p2 = /MetabasePath\s{0,40}:/ ascii wide
        $p3 = /(Basic|Windows|OAuth|Digest)Authentication\s{0,40}:/ ascii wide
        $p4 = /(PollInterval|OfflineAddressBooks|RequireSSL)\s{0,40}:/ ascii wide
        $p5 = /(AdminDisplayVersion|ExchangeVersion)\s{0,40}:/ ascii wide
        $p6 = /(DistinguishedName|ObjectCategory|ObjectClass|WhenChanged(UTC)?|OriginatingServer)\s{0,40}:/ ascii wide
        $p7 = /\bServer\s{1,40}:/ ascii wide
        // A report that quotes the listing.
        $fence = /(^|\n)[ \t]{0,8}(```|~~~)/
    condition:
        $url and 2 of ($p*) and (not $fence or extension matches /^\.(aspx?|as[hmc]x|config)$/i)
}
