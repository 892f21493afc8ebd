# A 32-bit program: writes the bytes of data/target.
	.globl _start
_start:
	movl $5, %eax		# open
	movl $path, %ebx
	xorl %ecx, %ecx
	int $0x80
	movl %eax, %ebx
	movl $3, %eax		# read
	movl $room, %ecx
	movl $64, %edx
	int $0x80
	movl %eax, %edx
	movl $4, %eax		# write
	movl $1, %ebx
	movl $room, %ecx
	int $0x80
	movl $1, %eax		# exit
	xorl %ebx, %ebx
	int $0x80
	.data
path:	.asciz "data/target"
	.bss
room:	.space 64
